package e2e

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/panelgate/panelgate/stack"
)

// FuzzKeptBoard restores entries of a cache that others have written. What comes of one
// belongs to the stack, or it is refused.
func FuzzKeptBoard(f *testing.F) {
	s, err := stack.Load(f.Context(), shippedDir)
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []keptBoard{
		{},
		{Asked: []keptAsked{{Panel: 0, Target: 0, Datasource: 0, Expr: "up", Status: "ok", Sent: true, Series: 1, Samples: 1, Finite: 1, Step: time.Second}}},
		{Asked: []keptAsked{{Panel: 99, Target: -1, Datasource: -1}}, Files: []keptQuestion{{Panel: -1, Target: 1 << 40}}, Vars: []keptVariable{{Variable: 3}}},
	} {
		data, err := json.Marshal(seed)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(`{"asked":[{"status":"fine"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		entry, err := read[keptBoard](data)
		if err != nil {
			return
		}
		known := &knownBoard{entry: entry}
		if known.restore(s, s.Dashboards[0], time.Now()) != nil {
			return
		}
		if known.board.Board != s.Dashboards[0] || len(known.asked) != len(entry.Asked) || len(known.variables) != len(entry.Vars) {
			t.Fatalf("%s is restored as %+v", data, known)
		}
		for _, a := range known.asked {
			if a.Panel == nil {
				t.Fatalf("%s is restored with a query of no panel", data)
			}
		}
	})
}
