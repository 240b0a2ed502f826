package story

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/panelgate/panelgate/e2e/rule"
)

func TestFinding(t *testing.T) {
	f := rule.Finding{
		Rule: "panel/no-data", Dashboard: "a", DashboardTitle: "A", Panel: "Queue\n\x1b[31mDelay", PanelID: 3, RefID: "A",
		Expr: "rate(x[$w])", ExprRun: "sum(\n  rate(x[1m])\n)", Empty: rule.Span{Start: 12, End: 17},
		Message: "no data", Reason: "metric-missing", Evidence: []string{"no metric x", "nearest names: y"}, Fix: "write y", Mended: "rate(y[$w])", Asked: 4,
	}
	want := `  at      A › Queue �[31mDelay › A
  seen    no data
  expr    rate(x[$w])
  run as  sum(
            rate(x[1m])
                 ^^^^^
          )
  why     metric-missing: no metric x
          nearest names: y
  fix     write y
  write   rate(y[$w])
`
	assert.Equal(t, want, Style{}.Finding(f))
	assert.Contains(t, Style{Full: true}.Finding(f), "\n          found out by 4 questions to Prometheus\n")
	assert.Contains(t, Style{Label: strings.ToUpper}.Finding(f), "  SEEN    no data\n")
}

func TestExprRunIsToldOnceWhereItIsTheSame(t *testing.T) {
	assert.NotContains(t, Style{}.Finding(rule.Finding{Expr: "up", ExprRun: "up"}), "run as")
	assert.Contains(t, Style{}.Finding(rule.Finding{Expr: "$x", ExprRun: "up"}), "run as  up\n")
}

func TestFieldIsCutShort(t *testing.T) {
	long := strings.Repeat("é", 3000) // 6000 bytes
	assert.Contains(t, Style{}.Field("expr", long), "é … (2000 more bytes)\n")
	assert.Contains(t, Style{Rest: "in --json"}.Field("expr", long), "é … (2000 more bytes, in --json)\n")
	assert.Equal(t, "  expr    "+long+"\n", Style{Full: true}.Field("expr", long))
}

func TestPath(t *testing.T) {
	for want, f := range map[string]rule.Finding{
		"":                           {},
		"uid":                        {Dashboard: "uid"},
		"D › (panel 4, untitled)":    {Dashboard: "uid", DashboardTitle: "D", PanelID: 4},
		`alert "X" of group "Y" › B`: {Dashboard: "uid", Subject: `alert "X" of group "Y"`, RefID: "B"},
		"D › a title of two lines":   {DashboardTitle: "D", Panel: "a title\nof two lines"},
	} {
		assert.Equal(t, want, Path(f))
	}
}

func TestUnderline(t *testing.T) {
	assert.Equal(t, "a + bc\n    ^^", Underline("a + bc", rule.Span{Start: 4, End: 6}))
	assert.Equal(t, "sum(\n^^^^\n\té\n\t^\n)\n^", Underline("sum(\n\té\n)", rule.Span{Start: 0, End: 10}))
	assert.Equal(t, "x", Underline("x", rule.Span{Start: 5, End: 9}), "a span outside marks nothing")
}

func TestClean(t *testing.T) {
	assert.Equal(t, "a\n\t�b�", Clean("a\n\t\x1bb\u202e"))
	assert.Equal(t, "a�b�c�d�", Clean("a\u200bb\ufeffc\u00add\U000e0041"), "what is not seen is shown")
	joined := "می\u200cخواهم 👩\u200d🔬"
	assert.Equal(t, joined, Clean(joined), "joiners are part of words")
}
