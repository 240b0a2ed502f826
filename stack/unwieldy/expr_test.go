package unwieldy

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestUnwieldy(t *testing.T) {
	for name, tc := range map[string]struct{ expr, want string }{
		"usual":                {`sum by (model) (rate(nv_inference_count{model=~"a+b|c"}[5m])) / 2`, ""},
		"a long alternation":   {`up{job=~"` + strings.Repeat("a+|", 5000) + `"}`, ""},
		"a long comment":       {"up # " + strings.Repeat("+ (", 1000), ""},
		"escaped quotes":       {`up{job="\"((("}` + strings.Repeat(" or up", 400), ""},
		"not closed":           {`up{job="` + strings.Repeat("(", 1000), ""},
		"names like operators": {strings.Repeat("oracle_and_more ", 600), ""},
		"deep":                 {strings.Repeat("(", 100_000), "nests deeper"},
		"long chain":           {"up" + strings.Repeat("+up", 600), "more than 500 operators"},
		"long chain of words":  {"up" + strings.Repeat(" or up", 600), "more than 500 operators"},
		"huge":                 {strings.Repeat(" ", 1<<18+1), "bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			err := Expr(tc.expr)
			if tc.want == "" {
				assert.NoError(t, err)
				return
			}
			assert.ErrorContains(t, err, tc.want)
		})
	}
}
