package rule

import (
	"fmt"
	"slices"
	"strings"

	"github.com/prometheus/common/model"
	promparser "github.com/prometheus/prometheus/promql/parser"

	"github.com/panelgate/panelgate/fakes/catalogue"
)

// promqlCounterRaw finds counters that are shown as they are: what has been counted
// since the exporter started, which says nothing of now.
func promqlCounterRaw() Rule {
	return Rule{
		ID:       "promql/counter-raw",
		Severity: Warning,
		Summary:  "a counter is shown with no rate, increase or delta, alone or in a quotient shown as latency",
		Static:   countersAsTheyAre,
		Live:     func(in *Live) []Finding { return in.withTypes(countersAsTheyAre) },
	}
}

func countersAsTheyAre(in *Static) []Finding {
	var out []Finding
	for _, e := range in.expressions() {
		if f := in.rawCounters(e); f != nil {
			out = append(out, *f)
		}
	}
	return out
}

// rawCounter is a counter that no function turns into how fast it grows.
type rawCounter struct {
	selector *promparser.VectorSelector
	name     string
	time     bool // it adds times up
	byName   bool // nothing but its name says that it is a counter
	why      string
}

// rawCounters is nil for an expression without any that would mislead.
func (in *Static) rawCounters(e *expression) *Finding {
	var wrong []rawCounter
	promparser.Inspect(e.root, func(n promparser.Node, path []promparser.Node) error {
		if vs, ok := n.(*promparser.VectorSelector); ok {
			if c, ok := in.misleading(e, vs, path); ok {
				wrong = append(wrong, c)
			}
		}
		return nil
	})
	if len(wrong) == 0 {
		return nil
	}
	first := wrong[0]
	f := e.finding(first.selector)
	f.Message = fmt.Sprintf("%s is a counter, and %s", first.name, first.why)
	window := "5m"
	if e.question != nil {
		window = rateInterval
	}
	f.Fix = fmt.Sprintf("take rate(%s[%s]) of it, or increase", first.name, window)
	if len(wrong) > 1 {
		f.Evidence = []string{fmt.Sprintf("%d more counters of this query are as they are", len(wrong)-1)}
	}
	f.Mended = e.rated(wrong, window)
	return &f
}

// rated is the expression with the rates of counters in their places.
func (e *expression) rated(counters []rawCounter, window string) string {
	var edits []edit
	for _, c := range counters {
		vs := c.selector
		start, end, ok := e.span(vs)
		if !ok || vs.OriginalOffset != 0 || vs.OriginalOffsetExpr != nil || vs.Timestamp != nil || vs.StartOrEnd != 0 {
			return ""
		}
		edits = append(edits, insert(start, "rate("), insert(end, "["+window+"])"))
	}
	return e.mended(edits...)
}

// misleading says whether a selector is a counter whose bare value would mislead where
// it stands, and why.
func (in *Static) misleading(e *expression, vs *promparser.VectorSelector, path []promparser.Node) (rawCounter, bool) {
	c, ok := in.counterOf(e, vs)
	if !ok {
		return c, false
	}
	use := useOf(vs, path)
	switch {
	case use.meant:
		return c, false
	case use.quantile:
		c.why = "its buckets are taken as they are: the quantile is that of all requests since the exporter started"
		return c, strings.HasSuffix(c.name, "_bucket")
	case use.quotient != nil:
		return in.inQuotient(e, c, use.quotient)
	}
	c.why = in.aloneMisleads(e, c)
	return c, c.why != ""
}

// counterOf says of a selector's metric that it is a counter: by the catalogue, else by
// a name that ends in _total, or that is a part of a histogram.
func (in *Static) counterOf(e *expression, vs *promparser.VectorSelector) (rawCounter, bool) {
	name := e.metric(vs)
	c := rawCounter{selector: vs, name: name}
	if name == "" || in.recorded(name) || strings.Contains(name, "uptime") { // which is read as it is
		return c, false
	}
	m, part, known := in.Metrics.Series(name)
	if known {
		c.time = slices.Contains([]string{"s", "ms", "us", "ns"}, m.Unit) && part != catalogue.Count && part != catalogue.Bucket
		if m.Exporter == "dcgm" && m.Unit == "1" { // errors and the like: that there are any is what matters
			return c, false
		}
		return c, m.Type == catalogue.Counter || part != catalogue.Whole
	}
	if strings.Contains(name, ":") {
		return c, false
	}
	told := in.toldType(name)
	if told == catalogue.Gauge {
		return c, false
	}
	c.byName = told != catalogue.Counter
	for _, suffix := range []string{"_seconds", "_milliseconds", "_microseconds", "_ms", "_us"} {
		c.time = c.time || strings.HasSuffix(name, suffix+"_total") || strings.HasSuffix(name, suffix+"_sum")
	}
	for _, suffix := range []string{"_total", "_bucket", "_sum", "_count"} {
		if base, ok := strings.CutSuffix(name, suffix); ok {
			return c, suffix != "_total" || !isStock(base)
		}
	}
	return c, !c.byName
}

// isStock knows what "total" is said of in the sense of all there is, not of all that
// has happened.
func isStock(base string) bool {
	last := base[strings.LastIndexByte(base, '_')+1:]
	return slices.Contains([]string{"mem", "memory", "swap", "disk", "space", "size", "capacity", "cores", "cpu", "cpus", "gpu", "gpus", "nodes", "pods",
		"workers", "threads", "slots", "servers", "blocks", "pages", "replicas", "connections", "clients", "sessions", "inodes", "files", "resources"}, last)
}

// use is how an expression uses a selector.
type use struct {
	meant    bool // the bare value of a counter is what is wanted, or does not matter
	quantile bool // of a histogram's buckets
	quotient *promparser.BinaryExpr
}

// useOf looks at everything above a selector.
func useOf(vs *promparser.VectorSelector, path []promparser.Node) use {
	var u use
	var below promparser.Node = vs
	for i := len(path) - 1; i >= 0; i-- {
		switch n := path[i].(type) {
		case *promparser.MatrixSelector, *promparser.SubqueryExpr:
			u.meant = true
		case *promparser.Call:
			u.quantile = u.quantile || n.Func.Name == "histogram_quantile"
			u.meant = u.meant || !passesValueOn(n.Func.Name)
		case *promparser.AggregateExpr:
			u.meant = u.meant || !addsUp(n.Op)
		case *promparser.BinaryExpr:
			u.meant = u.meant || comparesOrCorrects(n, below, vs)
			if n.Op == promparser.DIV && n.VectorMatching != nil {
				u.quotient = n
			}
		}
		below = path[i]
	}
	return u
}

// passesValueOn says whether a function shows a value as it is, at most scaled or
// under another name.
func passesValueOn(function string) bool {
	return slices.Contains([]string{"label_replace", "label_join", "sort", "sort_desc", "round", "ceil", "floor", "clamp", "clamp_min", "clamp_max",
		"scalar", "vector", "histogram_quantile"}, function)
}

// addsUp says whether an aggregation shows values of the kind that it is given.
func addsUp(op promparser.ItemType) bool {
	return slices.Contains([]promparser.ItemType{promparser.SUM, promparser.AVG, promparser.MIN, promparser.MAX, promparser.TOPK, promparser.BOTTOMK}, op)
}

// comparesOrCorrects says whether an operator takes the difference of a counter, asks
// how it compares, or chooses by it, rather than showing it.
func comparesOrCorrects(b *promparser.BinaryExpr, side promparser.Node, vs *promparser.VectorSelector) bool {
	other := b.LHS
	if promparser.Node(b.LHS) == side {
		other = b.RHS
	}
	switch b.Op {
	case promparser.DIV, promparser.ADD:
		return false
	case promparser.MUL:
		factor, constant := numberOf(other)
		return !constant || factor == 0
	case promparser.LOR:
		return len(Selectors(other)) > 0
	}
	return true
}

// inQuotient judges a counter in a quotient of two vectors: a mean since the exporter
// started where times are divided, and nonsense where the other side is a rate.
func (in *Static) inQuotient(e *expression, c rawCounter, div *promparser.BinaryExpr) (rawCounter, bool) {
	top, bottom := in.rawUnder(e, div.LHS), in.rawUnder(e, div.RHS)
	rates := hasRate(div.LHS) || hasRate(div.RHS)
	switch {
	case rates && (hasRate(div.LHS) && slices.Contains(top, c.selector) || hasRate(div.RHS) && slices.Contains(bottom, c.selector)):
		return c, false // both in one side: a sum of different things, too mixed to judge
	case rates && (c.time || !c.byName):
		c.why = "the other side of the quotient is a rate: what has been counted since the exporter started is divided by how much there is now"
		if slices.Contains(bottom, c.selector) {
			c.why = "the other side of the quotient is a rate: how much there is now is divided by what has been counted since the exporter started"
		}
		return c, true
	case rates || len(top) == 0 || len(bottom) == 0:
		return c, false
	}
	times := false
	for _, vs := range top {
		counter, _ := in.counterOf(e, vs)
		times = times || counter.time
	}
	c.why = "the quotient is the mean since the exporter started: it hardly moves, whatever happens now"
	return c, times && !sinceStart(e.question)
}

// sinceStart says whether a panel shows one number and says that it is of all the time
// since the exporter started.
func sinceStart(q *Question) bool {
	return q != nil && shownBy(q.Panel, q.Target).single && sinceWords.MatchString(q.Panel.Title.Value)
}

// rawUnder are the counters under an expression that are as they are.
func (in *Static) rawUnder(e *expression, n promparser.Expr) []*promparser.VectorSelector {
	var out []*promparser.VectorSelector
	promparser.Inspect(n, func(n promparser.Node, path []promparser.Node) error {
		if vs, ok := n.(*promparser.VectorSelector); ok && !useOf(vs, path).meant {
			if _, counts := in.counterOf(e, vs); counts {
				out = append(out, vs)
			}
		}
		return nil
	})
	return out
}

// hasRate says whether a rate is taken somewhere under an expression.
func hasRate(n promparser.Expr) bool {
	found := false
	promparser.Inspect(n, func(n promparser.Node, _ []promparser.Node) error {
		if call, ok := n.(*promparser.Call); ok && takesRate(call.Func.Name) {
			found = true
		}
		return nil
	})
	return found
}

// aloneMisleads says why a counter misleads as its panel shows it, "" where it does not:
// a total since the start is a fair thing to show where the panel says that it is one.
func (in *Static) aloneMisleads(e *expression, c rawCounter) string {
	q := e.question
	if q == nil || q.Target.Hide || strings.HasSuffix(c.name, "_sum") && c.byName || strings.HasSuffix(c.name, "_count") && c.byName || strings.HasSuffix(c.name, "_"+model.BucketLabel) {
		return ""
	}
	shown := shownBy(q.Panel, q.Target)
	if !shown.graph && (!shown.single || shown.difference) {
		return ""
	}
	switch {
	case shown.rate:
		return "the panel shows it as a rate: it only ever grows"
	case c.time && shown.latency && !strings.Contains(c.name, "_cpu_"):
		return "the panel shows it as a latency: it is the sum of all times since the exporter started"
	case shown.graph && !shown.total && !strings.HasSuffix(c.name, "_bucket"):
		return "the panel draws it as it is: a line that only rises, by how much the exporter has counted since it started"
	}
	return ""
}
