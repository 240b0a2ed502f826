package rule

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestDashboardUIDMissing(t *testing.T) {
	checkCases(t, dashboardUIDMissing(), []ruleCase{
		{name: "none", board: `{"title": "GPU & Host (new)", "panels": []}`,
			want: []expected{{at: `{"title"`, says: "has no uid", fix: `"gpu-host-new"`}}},
		{name: "an empty one", board: `{"title": "x", "uid": "", "panels": []}`, want: []expected{{at: `""`, fix: `set uid to "x"`}}},
		{name: "a resource's name is its uid", board: resourceV1},
		{name: "a resource without a name", board: strings.Replace(resourceV1, `"name": "small"`, "", 1),
			want: []expected{{at: `{"title"`, fix: `metadata.name`}}},
		{name: "what is no dashboard", board: `{"a": 1}`},
	})
}

func TestSlug(t *testing.T) {
	for in, want := range map[string]string{
		"Triton: E2E":             "triton-e2e",
		"":                        "dashboard",
		"Übersicht":               "bersicht",
		"a_b-C":                   "a_b-c",
		strings.Repeat("ab ", 20): strings.TrimRight(strings.Repeat("ab-", 20)[:40], "-"),
	} {
		assert.Equal(t, want, slug(in))
	}
}
