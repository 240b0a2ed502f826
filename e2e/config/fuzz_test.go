package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/panelgate/panelgate/stack/source"
)

// Whatever a panelgate.yml holds, it is read, or refused at a place in it.
func FuzzLoad(f *testing.F) {
	for _, seed := range []string{
		"version: 1\n",
		"version: 1\nservices: {prometheus: p}\ntargets:\n  - match: {job: vllm}\n    fake: vllm\n    version: 0.6.0\n    args: [--max-model-len, '8']\n  - {match: {job: a}, live: true}\n",
		"version: 1\nexpect:\n  - {dashboard: d, panel: P, is: empty, reason: r, until: 2030-01-02}\n  - {dashboard: d, panel: 3, refId: A, is: between, min: 0, max: 1, reason: r}\n",
		"version: 1\nexclude:\n  - {rule: panel/unit-mismatch, dashboard: d, panel: P, reason: r}\nrules: {stack/latest-tag: off, panel/unused: error}\n",
		"version: 2", "version: [", "a: &a [*a]", "---\n---\n", "version: 1\nscenario: ../x.yml\n", "version: 1\ntargets: {}\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file := filepath.Join(t.TempDir(), "panelgate.yml")
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := Load(file)
		if err == nil {
			if c == nil || c.File != file {
				t.Fatalf("%+v is no configuration", c)
			}
			return
		}
		if problem, ok := errors.AsType[*source.Problem](err); ok && (problem.Pos.File != file || problem.Pos.Line < 1 || problem.Pos.Line > strings.Count(string(data), "\n")+1) {
			t.Fatalf("%v is at no place of the file", err)
		}
		if !strings.Contains(err.Error(), "panelgate.yml") {
			t.Fatalf("%v does not name the file", err)
		}
	})
}
