package embedded

import (
	"errors"
	"io"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
	"github.com/prometheus/prometheus/promql/parser"
)

// scraped is a scrape as Prometheus' parser reads it: the series in order with the bits of
// their values, and whether all of it is read and nothing has a timestamp.
func scraped(body []byte) (order []*series, values []uint64, plain bool) {
	p, err := textparse.New(body, "text/plain", labels.NewSymbolTable(), textparse.ParserOptions{})
	if err != nil {
		return nil, nil, false
	}
	for {
		entry, err := p.Next()
		switch {
		case errors.Is(err, io.EOF):
			return order, values, true
		case err != nil:
			return nil, nil, false
		case entry == textparse.EntrySeries:
			text, ts, v := p.Series()
			if ts != nil {
				return nil, nil, false
			}
			order, values = append(order, &series{text: string(text)}), append(values, math.Float64bits(v))
		}
	}
}

// FuzzOutline reads a scrape by the outline of the one before. Where that can be done it
// comes to what Prometheus' parser makes of it.
func FuzzOutline(f *testing.F) {
	const first = "# HELP a b\n# TYPE a counter\na 1\na{b=\"c d\"} 2\n\nx_bucket{le=\"+Inf\"} NaN\n"
	for _, second := range []string{
		first, "# HELP a b\n# TYPE a counter\na 5e3\na{b=\"c d\"} -Inf\n\nx_bucket{le=\"+Inf\"} 0\n", "# HELP a b\n# TYPE a counter\na 1 1700000000000\n",
		"# HELP a b\n# TYPE a counter\na 0x1p-2\n", "# HELP a b\n# TYPE a counter\na 1_0\n", "# HELP a b\n# TYPE a counter\na  1\n", "a 1", "", "# HELP a b\r\n",
	} {
		f.Add([]byte(first), []byte(second))
	}
	f.Fuzz(func(t *testing.T, before, body []byte) {
		order, _, plain := scraped(before)
		if !plain {
			return
		}
		var o outline
		o.draw(before, order)
		if !o.read(body) {
			return
		}
		again, values, plain := scraped(body)
		if !plain || len(again) != len(order) {
			t.Fatalf("%q is read by the outline of %q", body, before)
		}
		for i, s := range again {
			if s.text != order[i].text {
				t.Fatalf("%q is read by the outline of %q: series %d", body, before, i)
			}
		}
		var got []uint64
		for _, v := range o.values {
			got = append(got, math.Float64bits(v))
		}
		if !slices.Equal(got, values) {
			t.Fatalf("%q is read as %x, and is %x", body, got, values)
		}
	})
}

// FuzzSubquery: whatever looks like a subquery to the parser is looked into.
func FuzzSubquery(f *testing.F) {
	for _, seed := range []string{"up[5m]", "up[5m:]", "max_over_time(up[1h # ]\n:1m])", `up{a="[x:y]"}`, "a:b[5m]", "up[5m:1m] @ 3"} {
		f.Add(seed)
	}
	e := &boundedEngine{usual: time.Minute, parser: parser.NewParser(parser.Options{})}
	f.Fuzz(func(t *testing.T, expr string) {
		parsed, err := e.parser.ParseExpr(expr)
		if err == nil && hasSubquery(parsed) && !mayHaveSubquery(expr) {
			t.Fatalf("%q has a subquery", expr)
		}
		_ = e.check(expr, 0, 1)
	})
}

func hasSubquery(n parser.Node) bool {
	if _, ok := n.(*parser.SubqueryExpr); ok {
		return true
	}
	for child := range parser.ChildrenIter(n) {
		if hasSubquery(child) {
			return true
		}
	}
	return false
}
