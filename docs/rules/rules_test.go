package rules_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/docs/rules"
	"github.com/panelgate/panelgate/e2e/rule"
)

// TestEveryRuleHasAPage holds the pages to the catalogue, in both directions.
func TestEveryRuleHasAPage(t *testing.T) {
	var ids []string
	for _, r := range rule.All() {
		ids = append(ids, r.ID)
		page, err := rules.Page(r.ID)
		require.NoError(t, err)
		assert.True(t, strings.HasPrefix(page, "# "+r.ID+"\n\nSeverity: "), r.ID)
		for _, heading := range []string{"What it says", "Why it matters", "An example that fails", "The same, mended"} {
			assert.Contains(t, page, "\n## "+heading+"\n", r.ID)
		}
	}
	files, err := filepath.Glob("*/*.md")
	require.NoError(t, err)
	var pages []string
	for _, f := range files {
		pages = append(pages, strings.TrimSuffix(filepath.ToSlash(f), ".md"))
	}
	assert.ElementsMatch(t, ids, pages)
}
