package dashboard

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/stack/source"
)

// A dashboard that has far more of something than anybody could look at is refused
// where the first one too many begins; one that has just as much is not.
func TestExcess(t *testing.T) {
	list := func(n int, item string) string { return strings.TrimSuffix(strings.Repeat(item+",\n", n), ",\n") }
	for name, tc := range map[string]struct {
		most   int
		before string
		item   string
		after  string
		what   string
	}{
		"panels":           {mostPanels, `{"panels":[`, `{"id":1}`, `]}`, "panels"},
		"panels of a row":  {mostPanels - 1, `{"panels":[{"type":"row","panels":[`, `{"id":1}`, `]}]}`, "panels"},
		"rows":             {mostPanels, `{"rows":[`, `{"title":"a"}`, `]}`, "panels"},
		"targets":          {mostTargets, `{"panels":[{"targets":[`, `{"expr":"up"}`, `]}]}`, "targets"},
		"variables":        {mostVariables, `{"templating":{"list":[`, `{"name":"a"}`, `]}}`, "variables"},
		"variables of v2":  {mostVariables, `{"layout":{},"elements":{},"variables":[`, `{"kind":"TextVariable"}`, `]}`, "variables"},
		"elements of v2":   {mostPanels, `{"layout":{},"elements":{`, `"a":{"kind":"Panel"}`, `}}`, "panels"},
		"queries of v2":    {mostTargets, `{"layout":{},"elements":{"a":{"kind":"Panel","spec":{"data":{"spec":{"queries":[`, `{"kind":"PanelQuery"}`, `]}}}}}}`, "targets"},
		"targets together": {mostTargets / 2, `{"panels":[`, `{"targets":[{},{}]}`, `]}`, "targets"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse("f.json", []byte(tc.before+list(tc.most, tc.item)+tc.after), source.DefaultLimits())
			require.NoError(t, err)
			_, err = Parse("f.json", []byte(tc.before+list(tc.most+1, tc.item)+tc.after), source.DefaultLimits())
			var problem *source.Problem
			require.ErrorAs(t, err, &problem)
			assert.Contains(t, problem.Message, "more than ")
			assert.Contains(t, problem.Message, " "+tc.what+" in one dashboard")
			assert.Equal(t, tc.most+1, problem.Pos.Line)
		})
	}
}

// What cannot be read of a file is told up to a point, and that there is more.
func TestProblemsAreTold(t *testing.T) {
	d, err := Parse("f.json", []byte(`{"panels":[`+strings.TrimSuffix(strings.Repeat("1,", 3*mostProblems), ",")+`]}`), source.DefaultLimits())
	require.NoError(t, err)
	require.Len(t, d.Problems, mostProblems)
	assert.Contains(t, d.Problems[mostProblems-1].Message, "only the first 1000 places are told")
}
