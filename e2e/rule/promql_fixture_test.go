package rule

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// exprCase is a query of a panel, and what a rule says of it: nothing where says is "".
type exprCase struct {
	name, expr string
	at         string // what stands at the finding's position
	says, fix  string
	mended     string
	severity   Severity
	edit       func(*fixture)
}

// checkExprs runs a static rule over queries, each in a panel of its own dashboard, and
// over the shipped stack, which has to be clean.
func checkExprs(t *testing.T, r Rule, cases []exprCase) {
	t.Helper()
	t.Run("the shipped stack", func(t *testing.T) { assert.Empty(t, shipped(t).check(r)) })
	for _, c := range cases {
		name := c.name
		if name == "" {
			name = c.expr
		}
		t.Run(name, func(t *testing.T) {
			f := shipped(t).write(boardFile, boardWith(modelVariable, panelWith(1, "Panel", c.expr)))
			if c.edit != nil {
				c.edit(f)
			}
			found := f.check(r)
			if c.says == "" {
				assert.Empty(t, found)
				return
			}
			f.expect(found, []expected{{at: c.at, says: c.says, fix: c.fix, severity: c.severity}})
			if len(found) == 1 {
				assert.Equal(t, c.mended, found[0].Mended)
			}
		})
	}
}
