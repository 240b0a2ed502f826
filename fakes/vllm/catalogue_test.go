package vllm

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/panelgate/panelgate/fakes/catalogue"
	"github.com/panelgate/panelgate/fakes/release"
)

// Fake and catalogue say the same of every release: which families there are without a word, their types and their labels.
func TestEachReleaseIsWhatTheCatalogueSays(t *testing.T) {
	w := world(t, served)
	known := catalogue.New().Of("vllm")
	for _, version := range Versions() {
		r := release.MustParse(version)
		s := scrape(t, build(t, w, version), start.Add(time.Hour))
		var due []string
		for _, m := range known {
			there := definition{since: m.Since, until: m.Until}.in(r)
			if !there || m.Optional != "" {
				continue
			}
			due = append(due, m.Name)
			f, ok := s.Families[m.Name]
			if !assert.True(t, ok, "%s lacks %s", version, m.Name) {
				continue
			}
			assert.Equal(t, string(m.Type), f.Type, m.Name)
			for _, names := range f.LabelNames {
				for name := range strings.SplitSeq(names, ",") {
					assert.True(t, name == "le" || slices.Contains(m.Labels, name), "%s: %s has the label %s", version, m.Name, name)
				}
			}
		}
		printed := slices.DeleteFunc(slices.Clone(s.Order), func(name string) bool {
			return !strings.HasPrefix(name, "vllm:") || strings.HasSuffix(name, "_created")
		})
		assert.ElementsMatch(t, due, printed, version)
	}
}
