package rule

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	promparser "github.com/prometheus/prometheus/promql/parser"

	"github.com/panelgate/panelgate/e2e/query"
	"github.com/panelgate/panelgate/stack/dashboard"
)

// Scrapes that the window of a rate must hold: with fewer than two there is
// nothing to compare, and with fewer than four one failed scrape leaves a gap.
const (
	fewestScrapes = 2
	soundScrapes  = 4
)

// promqlRateWindow measures the windows of rates against the scrape interval of
// the job whose metrics they are taken of.
func promqlRateWindow() Rule {
	return Rule{
		ID:       "promql/rate-window",
		Severity: Error,
		Summary:  "a rate is taken over less than two scrapes (a warning under four)",
		Static: func(in *Static) []Finding {
			pace := in.pace()
			type place struct {
				target  *dashboard.Target
				written string
				every   time.Duration
			}
			var out []Finding
			for _, b := range readable(in.Boards) {
				seen := map[place]bool{}
				for _, q := range b.Questions {
					for _, w := range in.shortWindows(q, pace) {
						at := place{q.Target, w.written, w.every}
						if !seen[at] {
							seen[at] = true
							out = append(out, w.finding(q))
						}
					}
				}
			}
			for _, e := range in.ownRules() {
				for _, w := range pace.shortWindowsOf(e) {
					out = append(out, w.findingOfRule(e))
				}
			}
			return out
		},
	}
}

// shortWindow is a window that holds too few scrapes, or steps of a subquery.
type shortWindow struct {
	function string
	length   time.Duration
	offset   int    // in the expression as run
	written  string // as the file has it
	every    time.Duration
	source   string // what happens that often, for a message
	subquery bool
	more     int // further selectors of the query with the same window
}

// shortWindows are those of the question's query; it is one expression, however
// many requests it is asked by.
func (in *Static) shortWindows(q *Question, p pace) []*shortWindow {
	if !q.Readable() {
		return nil
	}
	e := in.ofQuestion(q)
	if e == nil {
		return nil // panel/syntax
	}
	return slices.DeleteFunc(p.shortWindowsOf(e), func(w *shortWindow) bool { return q.Board.guesses(w.written) })
}

// shortWindowsOf are those of an expression, each said once.
func (p pace) shortWindowsOf(e *expression) []*shortWindow {
	var out []*shortWindow
	promparser.Inspect(e.root, func(n promparser.Node, _ []promparser.Node) error {
		call, ok := n.(*promparser.Call)
		if !ok || !comparesSamples(call.Func.Name) {
			return nil
		}
		for _, arg := range call.Args {
			w := p.windowOf(arg, e.text)
			if w == nil || w.every <= 0 || w.length <= 0 || w.length >= soundScrapes*w.every {
				continue
			}
			w.function = call.Func.Name
			written, at := e.text, w.offset
			if e.sourceAt != nil {
				written, at = e.written, e.sourceAt(w.offset)
			}
			w.written = windowAsWritten(written, at, w.length)
			out = mergeWindow(out, w)
		}
		return nil
	})
	return out
}

// comparesSamples says whether a function needs two samples of its window.
func comparesSamples(function string) bool {
	return slices.Contains([]string{
		"rate", "irate", "increase", "delta", "idelta", "deriv", "predict_linear", "changes", "resets",
		"holt_winters", "double_exponential_smoothing",
	}, function)
}

// windowOf measures a range selector or subquery, nil for anything else.
func (p pace) windowOf(arg promparser.Expr, expr string) *shortWindow {
	switch arg := arg.(type) {
	case *promparser.ParenExpr:
		return p.windowOf(arg.Expr, expr)
	case *promparser.MatrixSelector:
		vs, ok := arg.VectorSelector.(*promparser.VectorSelector)
		if !ok {
			return nil
		}
		every, source := p.of(vs)
		return &shortWindow{length: arg.Range, offset: bracket(expr, int(vs.PosRange.End)), every: every, source: source}
	case *promparser.SubqueryExpr:
		step := arg.Step
		if step == 0 {
			step = p.evaluation
		}
		return &shortWindow{
			length: arg.Range, offset: bracket(expr, int(arg.Expr.PositionRange().End)), every: step,
			source: "the subquery steps", subquery: true,
		}
	}
	return nil
}

// bracket is the offset behind the first opening bracket from start on.
func bracket(expr string, start int) int {
	if start < 0 || start > len(expr) {
		return 0
	}
	return start + strings.IndexByte(expr[start:], '[') + 1
}

// windowAsWritten is what the file has for a window that begins at offset, or the
// window itself where a variable brought all of the selector.
func windowAsWritten(text string, offset int, window time.Duration) string {
	fallback := model.Duration(window).String()
	if offset <= 0 || offset >= len(text) || !strings.HasSuffix(strings.TrimRight(text[:offset], " \t\n"), "[") {
		return fallback
	}
	rest := text[offset:]
	for _, ref := range query.References(rest) {
		if ref.Start == 0 {
			return rest[:ref.End]
		}
	}
	if end := strings.IndexAny(rest, ":]"); end > 0 {
		return strings.TrimSpace(rest[:end])
	}
	return fallback
}

// mergeWindow counts windows that are the same thing said several times in a query.
func mergeWindow(all []*shortWindow, w *shortWindow) []*shortWindow {
	for _, other := range all {
		if other.written == w.written && other.every == w.every {
			other.more++
			return all
		}
	}
	return append(all, w)
}

func (w *shortWindow) finding(q *Question) Finding {
	f := onQuestion(q)
	request := q.Requests[0]
	f.Pos = posOf(q, request, w.offset)
	f.ExprRun = q.shownAsRun(request)
	w.tell(&f)
	f.Fix = w.fix(q)
	return f
}

// findingOfRule is about a window in a recording or alerting rule.
func (w *shortWindow) findingOfRule(e *expression) Finding {
	f := e.begin()
	f.Pos = e.posAt(w.offset)
	w.tell(&f)
	f.Fix = fmt.Sprintf("take a window of at least %s", model.Duration(soundScrapes*w.every))
	if w.subquery {
		f.Fix += ", or shorten the step"
	}
	return f
}

// tell says what is seen of the window.
func (w *shortWindow) tell(f *Finding) {
	window := "[" + w.written + "]"
	if length := model.Duration(w.length).String(); length != w.written {
		window += " is " + length + ", which"
	}
	every := model.Duration(w.every)
	if w.length < fewestScrapes*w.every {
		f.Message = fmt.Sprintf("%s over %s holds fewer than two samples: %s every %s", w.function, window, w.source, every)
	} else {
		f.Severity = Warning
		f.Message = fmt.Sprintf("%s over %s holds fewer than four samples, so that one failed scrape leaves a gap: %s every %s",
			w.function, window, w.source, every)
	}
	if w.more > 0 {
		f.Evidence = []string{fmt.Sprintf("%d more windows of this query are the same", w.more)}
	}
}

func (w *shortWindow) fix(q *Question) string {
	every, sound := model.Duration(w.every), model.Duration(soundScrapes*w.every)
	switch {
	case w.subquery:
		return fmt.Sprintf("widen the window to %s, or shorten the step", sound)
	case !strings.Contains(w.written, "__rate_interval"):
		return fmt.Sprintf("write [$__rate_interval], or a window of at least %s", sound)
	case q.Target.Interval.Value != "":
		return fmt.Sprintf("raise the min step of the query to %s: $__rate_interval is four times that", every)
	case q.Datasource == nil:
		return fmt.Sprintf("set jsonData.timeInterval of the datasource that is meant to %s: $__rate_interval is four times that", every)
	default:
		return fmt.Sprintf("set jsonData.timeInterval of datasource %q to %s: $__rate_interval is four times that", q.Datasource.Name.Value, every)
	}
}
