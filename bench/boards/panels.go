package boards

import (
	"fmt"
	"strings"
)

func datasource() ref { return ref{Type: "prometheus", UID: "${datasource}"} }

// show is the panel that asks these questions about a subject, without its id and place.
func show(kind string, s subject, title string, asked []question) panel {
	ds := datasource()
	p := panel{
		Datasource: &ds, Type: kind, Title: title, PluginVersion: "13.2.3",
		Description: fmt.Sprintf("%s, as far back as the range above goes. If this leaves its usual band for longer than a deployment takes, look at the row's other panels first, then at the run book of the team that owns the service.", s.title),
		FieldConfig: &fieldConfig{Overrides: []override{}, Defaults: defaults{
			Color: colour{"palette-classic"}, Mappings: []struct{}{}, Unit: s.unit,
			Thresholds: thresholds{Mode: "absolute", Steps: []step{{Color: "green"}, {"#EAB839", at(0.7, s)}, {"red", at(0.9, s)}}},
		}},
	}
	if s.top != 0 {
		zero := 0.0
		p.FieldConfig.Defaults.Min, p.FieldConfig.Defaults.Max = &zero, &s.top
	}
	for i, q := range asked {
		t := target{
			Datasource: ds, EditorMode: "code", Expr: q.expr, Format: "time_series", LegendFormat: q.legend, Range: true,
			RefID: string(rune('A' + i)),
		}
		switch kind {
		case table:
			t.Format, t.Instant, t.Range = table, true, false
		case heatmap:
			t.Format = heatmap
		}
		p.Targets = append(p.Targets, t)
	}
	dress(&p, kind)
	return p
}

// at is a threshold at a share of what a subject can reach.
func at(share float64, s subject) *float64 {
	v := share * max(s.top, 100)
	return &v
}

// dress gives a panel the options of its kind, as Grafana fills them in.
func dress(p *panel, kind string) {
	reduce := reduceOptions{Calcs: []string{"lastNotNull"}}
	switch kind {
	case graph:
		p.FieldConfig.Defaults.Custom = graphStyle{
			AxisColorMode: "text", AxisPlacement: "auto", BarWidthFactor: 0.6, DrawStyle: "line", FillOpacity: 10, GradientMode: "none",
			LineInterpolation: "linear", LineWidth: 1, PointSize: 5, ScaleDistribution: typed{"linear"}, ShowPoints: "auto",
			Stacking: stacking{"A", "none"}, ThresholdsStyle: colour{"off"},
		}
		p.FieldConfig.Overrides = append(p.FieldConfig.Overrides, override{matcher{"byFrameRefID", "A"}, []property{
			{"custom.lineWidth", 2}, {"custom.fillOpacity", 20},
		}})
		p.Options = graphOptions{
			legend{[]string{"mean", "lastNotNull", "max"}, table, "bottom", true, "Max", true}, tooltip{Mode: "multi", Sort: "desc"},
		}
	case stat:
		p.Options = statOptions{ColorMode: "value", GraphMode: "area", JustifyMode: "auto", Orientation: "auto", ReduceOptions: reduce, TextMode: "auto"}
	case gauge:
		p.Options = statOptions{MinVizHeight: 75, MinVizWidth: 75, Orientation: "auto", ReduceOptions: reduce, ShowThresholdMarkers: true}
	case bars:
		p.Options = statOptions{DisplayMode: "gradient", MinVizHeight: 16, MinVizWidth: 8, Orientation: "horizontal", ReduceOptions: reduce, ValueMode: "color"}
	case table:
		p.FieldConfig.Defaults.Custom = cellStyle{Align: "auto", CellOptions: typed{"auto"}, Footer: footer{[]string{}}}
		p.Options = tableOptions{CellHeight: "sm", ShowHeader: true, SortBy: []string{}}
	case heatmap:
		p.Options = heatmapOptions{
			CellGap: 1, Color: heatColour{0.5, "dark-orange", "scheme", "exponential", "Oranges", 64}, Legend: shown{true},
			RowsFrame: rowsFrame{"auto"}, ShowValue: "never", YAxis: yAxis{AxisPlacement: "left", Unit: "s"},
		}
	}
}

// lay gives panels their ids and places, under a row for every few.
func lay(panels []panel) []panel {
	const perRow = 6
	var laid []panel
	x, y, id := 0, 0, 0
	for i, p := range panels {
		if i%perRow == 0 {
			if x > 0 {
				x, y = 0, y+8
			}
			id++
			no := false
			laid = append(laid, panel{Collapsed: &no, GridPos: gridPos{1, 24, 0, y}, ID: id, Panels: &[]panel{}, Title: fmt.Sprintf("Row %d", i/perRow+1), Type: "row"})
			y++
		}
		w := 12
		if p.Type != graph && p.Type != heatmap && p.Type != table {
			w = 6
		}
		if x+w > 24 {
			x, y = 0, y+8
		}
		id++
		p.ID, p.GridPos = id, gridPos{8, w, x, y}
		x += w
		laid = append(laid, p)
	}
	return laid
}

// variables are those that the panels use, and those that these are chained to.
func variables(panels []panel) []variable {
	var all strings.Builder
	for _, p := range panels {
		for _, t := range p.Targets {
			all.WriteString(t.Expr)
		}
	}
	text := all.String()
	uses := func(name string) bool {
		return strings.Contains(text, "$"+name+`"`) || strings.Contains(text, "["+"$"+name+"]") || strings.Contains(text, "$"+name+",")
	}
	yes, no := true, false
	list := []variable{{
		Current: option{Text: "Prometheus", Value: "prometheus"}, Label: "Data source", Name: "datasource", Options: []option{},
		Query: "prometheus", Refresh: 1, Type: "datasource",
	}}
	asked := func(name, label, query string) {
		ds := datasource()
		list = append(list, variable{
			AllowCustomValue: &yes, Current: option{true, []string{"All"}, []string{"$__all"}}, Datasource: &ds, Definition: query,
			IncludeAll: true, Label: label, Multi: true, Name: name, Options: []option{},
			Query: variableQuery{1, query, "PrometheusVariableQueryEditor-VariableQuery"}, Refresh: 2, Sort: 1, Type: "query",
		})
	}
	for _, v := range []struct{ name, label, metric, of, on string }{
		{"triton", "Triton", "nv_inference_request_success", "instance", ""},
		{"model", "Model", "nv_inference_request_success", "model", "triton"},
		{"host", "GPU host", "DCGM_FI_DEV_GPU_UTIL", "instance", ""},
		{"gpu", "GPU", "DCGM_FI_DEV_GPU_UTIL", "gpu", "host"},
		{"node", "Machine", "node_uname_info", "instance", ""},
		{"server", "vLLM server", "vllm:num_requests_running", "instance", ""},
		{"llm", "Language model", "vllm:num_requests_running", "model_name", "server"},
	} {
		switch {
		case !uses(v.name):
		case v.on != "":
			asked(v.name, v.label, fmt.Sprintf(`label_values(%s{instance=~"$%s"}, %s)`, v.metric, v.on, v.of))
		default:
			asked(v.name, v.label, fmt.Sprintf(`label_values(%s, %s)`, v.metric, v.of))
		}
	}
	if uses("window") {
		list = append(list, variable{
			Auto: &no, AutoCount: 30, AutoMin: "10s", Current: option{true, "5m", "5m"}, Label: "Window", Name: "window",
			Options: options("5m", "5m", "10m", "30m", "1h"), Query: "5m,10m,30m,1h", Refresh: 2, Type: "interval",
		})
	}
	if uses("quantile") {
		list = append(list, variable{
			AllowCustomValue: &yes, Current: option{true, "0.95", "0.95"}, Label: "Quantile", Name: "quantile",
			Options: options("0.95", "0.5", "0.9", "0.95", "0.99"), Query: "0.5,0.9,0.95,0.99", Type: "custom",
		})
	}
	return list
}

func options(selected string, of ...string) []option {
	var list []option
	for _, o := range of {
		list = append(list, option{o == selected, o, o})
	}
	return list
}
