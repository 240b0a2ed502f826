package boards

// What follows is a dashboard as Grafana writes it down: the fields are in the order of its exports, which is that of the alphabet, and
// those that nobody has set are there as well, because exports have them and reading them takes its time.

type board struct {
	Annotations          annotations `json:"annotations"`
	Description          string      `json:"description"`
	Editable             bool        `json:"editable"`
	FiscalYearStartMonth int         `json:"fiscalYearStartMonth"`
	GraphTooltip         int         `json:"graphTooltip"`
	Links                []string    `json:"links"`
	Panels               []panel     `json:"panels"`
	Preload              bool        `json:"preload"`
	Refresh              string      `json:"refresh"`
	SchemaVersion        int         `json:"schemaVersion"`
	Tags                 []string    `json:"tags"`
	Templating           templating  `json:"templating"`
	Time                 timeRange   `json:"time"`
	Timepicker           struct{}    `json:"timepicker"`
	Timezone             string      `json:"timezone"`
	Title                string      `json:"title"`
	UID                  string      `json:"uid"`
	Version              int         `json:"version"`
	WeekStart            string      `json:"weekStart"`
}

type annotations struct {
	List []annotation `json:"list"`
}

type annotation struct {
	BuiltIn    int    `json:"builtIn"`
	Datasource ref    `json:"datasource"`
	Enable     bool   `json:"enable"`
	Hide       bool   `json:"hide"`
	IconColor  string `json:"iconColor"`
	Name       string `json:"name"`
	Type       string `json:"type"`
}

type timeRange struct {
	From string `json:"from"`
	To   string `json:"to"`
}

type ref struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

type templating struct {
	List []variable `json:"list"`
}

type variable struct {
	AllowCustomValue *bool    `json:"allowCustomValue,omitempty"`
	AllValue         string   `json:"allValue,omitempty"`
	Auto             *bool    `json:"auto,omitempty"`
	AutoCount        int      `json:"auto_count,omitempty"`
	AutoMin          string   `json:"auto_min,omitempty"`
	Current          option   `json:"current"`
	Datasource       *ref     `json:"datasource,omitempty"`
	Definition       string   `json:"definition,omitempty"`
	Hide             int      `json:"hide"`
	IncludeAll       bool     `json:"includeAll"`
	Label            string   `json:"label"`
	Multi            bool     `json:"multi"`
	Name             string   `json:"name"`
	Options          []option `json:"options"`
	Query            any      `json:"query"` // a string, or a variableQuery where a datasource is asked
	Refresh          int      `json:"refresh"`
	Regex            string   `json:"regex"`
	SkipURLSync      bool     `json:"skipUrlSync"`
	Sort             int      `json:"sort"`
	Type             string   `json:"type"`
}

type variableQuery struct {
	QryType int    `json:"qryType"`
	Query   string `json:"query"`
	RefID   string `json:"refId"`
}

type option struct {
	Selected bool `json:"selected"`
	Text     any  `json:"text"` // a string, or several where the variable is multi-valued
	Value    any  `json:"value"`
}

type panel struct {
	Collapsed     *bool        `json:"collapsed,omitempty"`
	Datasource    *ref         `json:"datasource,omitempty"`
	Description   string       `json:"description,omitempty"`
	FieldConfig   *fieldConfig `json:"fieldConfig,omitempty"`
	GridPos       gridPos      `json:"gridPos"`
	ID            int          `json:"id"`
	Options       any          `json:"options,omitempty"` // one of the options below
	Panels        *[]panel     `json:"panels,omitempty"`
	PluginVersion string       `json:"pluginVersion,omitempty"`
	Targets       []target     `json:"targets,omitempty"`
	Title         string       `json:"title"`
	Type          string       `json:"type"`
}

type gridPos struct {
	H int `json:"h"`
	W int `json:"w"`
	X int `json:"x"`
	Y int `json:"y"`
}

type target struct {
	Datasource   ref    `json:"datasource"`
	EditorMode   string `json:"editorMode"`
	Exemplar     bool   `json:"exemplar"`
	Expr         string `json:"expr"`
	Format       string `json:"format"`
	Instant      bool   `json:"instant"`
	LegendFormat string `json:"legendFormat"`
	Range        bool   `json:"range"`
	RefID        string `json:"refId"`
}

type fieldConfig struct {
	Defaults  defaults   `json:"defaults"`
	Overrides []override `json:"overrides"`
}

type defaults struct {
	Color      colour     `json:"color"`
	Custom     any        `json:"custom,omitempty"` // a graphStyle or a cellStyle
	Decimals   *int       `json:"decimals,omitempty"`
	Mappings   []struct{} `json:"mappings"`
	Max        *float64   `json:"max,omitempty"`
	Min        *float64   `json:"min,omitempty"`
	Thresholds thresholds `json:"thresholds"`
	Unit       string     `json:"unit"`
}

type colour struct {
	Mode string `json:"mode"`
}

type thresholds struct {
	Mode  string `json:"mode"`
	Steps []step `json:"steps"`
}

type step struct {
	Color string   `json:"color"`
	Value *float64 `json:"value"`
}

type override struct {
	Matcher    matcher    `json:"matcher"`
	Properties []property `json:"properties"`
}

type matcher struct {
	ID      string `json:"id"`
	Options string `json:"options"`
}

type property struct {
	ID    string `json:"id"`
	Value any    `json:"value"`
}

type graphStyle struct {
	AxisBorderShow    bool     `json:"axisBorderShow"`
	AxisCenteredZero  bool     `json:"axisCenteredZero"`
	AxisColorMode     string   `json:"axisColorMode"`
	AxisLabel         string   `json:"axisLabel"`
	AxisPlacement     string   `json:"axisPlacement"`
	BarAlignment      int      `json:"barAlignment"`
	BarWidthFactor    float64  `json:"barWidthFactor"`
	DrawStyle         string   `json:"drawStyle"`
	FillOpacity       int      `json:"fillOpacity"`
	GradientMode      string   `json:"gradientMode"`
	HideFrom          hideFrom `json:"hideFrom"`
	InsertNulls       bool     `json:"insertNulls"`
	LineInterpolation string   `json:"lineInterpolation"`
	LineWidth         int      `json:"lineWidth"`
	PointSize         int      `json:"pointSize"`
	ScaleDistribution typed    `json:"scaleDistribution"`
	ShowPoints        string   `json:"showPoints"`
	ShowValues        bool     `json:"showValues"`
	SpanNulls         bool     `json:"spanNulls"`
	Stacking          stacking `json:"stacking"`
	ThresholdsStyle   colour   `json:"thresholdsStyle"`
}

type hideFrom struct {
	Legend  bool `json:"legend"`
	Tooltip bool `json:"tooltip"`
	Viz     bool `json:"viz"`
}

type typed struct {
	Type string `json:"type"`
}

type stacking struct {
	Group string `json:"group"`
	Mode  string `json:"mode"`
}

type cellStyle struct {
	Align       string `json:"align"`
	CellOptions typed  `json:"cellOptions"`
	Footer      footer `json:"footer"`
	Inspect     bool   `json:"inspect"`
}

type footer struct {
	Reducers []string `json:"reducers"`
}

type graphOptions struct {
	Legend  legend  `json:"legend"`
	Tooltip tooltip `json:"tooltip"`
}

type legend struct {
	Calcs       []string `json:"calcs"`
	DisplayMode string   `json:"displayMode"`
	Placement   string   `json:"placement"`
	ShowLegend  bool     `json:"showLegend"`
	SortBy      string   `json:"sortBy,omitempty"`
	SortDesc    bool     `json:"sortDesc,omitempty"`
}

type tooltip struct {
	HideZeros bool   `json:"hideZeros"`
	Mode      string `json:"mode"`
	Sort      string `json:"sort"`
}

// statOptions are those of stat, gauge and bar gauge, each of which passes over the others' own.
type statOptions struct {
	ColorMode            string        `json:"colorMode,omitempty"`
	DisplayMode          string        `json:"displayMode,omitempty"`
	GraphMode            string        `json:"graphMode,omitempty"`
	JustifyMode          string        `json:"justifyMode,omitempty"`
	MinVizHeight         int           `json:"minVizHeight,omitempty"`
	MinVizWidth          int           `json:"minVizWidth,omitempty"`
	Orientation          string        `json:"orientation"`
	ReduceOptions        reduceOptions `json:"reduceOptions"`
	ShowThresholdLabels  bool          `json:"showThresholdLabels"`
	ShowThresholdMarkers bool          `json:"showThresholdMarkers"`
	TextMode             string        `json:"textMode,omitempty"`
	ValueMode            string        `json:"valueMode,omitempty"`
}

type reduceOptions struct {
	Calcs  []string `json:"calcs"`
	Fields string   `json:"fields"`
	Values bool     `json:"values"`
}

type tableOptions struct {
	CellHeight string   `json:"cellHeight"`
	ShowHeader bool     `json:"showHeader"`
	SortBy     []string `json:"sortBy"`
}

type heatmapOptions struct {
	Calculate bool       `json:"calculate"`
	CellGap   int        `json:"cellGap"`
	Color     heatColour `json:"color"`
	Legend    shown      `json:"legend"`
	RowsFrame rowsFrame  `json:"rowsFrame"`
	ShowValue string     `json:"showValue"`
	YAxis     yAxis      `json:"yAxis"`
}

type heatColour struct {
	Exponent float64 `json:"exponent"`
	Fill     string  `json:"fill"`
	Mode     string  `json:"mode"`
	Scale    string  `json:"scale"`
	Scheme   string  `json:"scheme"`
	Steps    int     `json:"steps"`
}

type shown struct {
	Show bool `json:"show"`
}

type rowsFrame struct {
	Layout string `json:"layout"`
}

type yAxis struct {
	AxisPlacement string `json:"axisPlacement"`
	Reverse       bool   `json:"reverse"`
	Unit          string `json:"unit"`
}
