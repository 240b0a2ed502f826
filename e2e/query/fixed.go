package query

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/dashboard"
)

// fixed is a variable whose value needs no server.
type fixed struct {
	options   []dashboard.Option
	value     Value
	missing   bool
	free      bool   // may be empty, as a text box
	unchecked string // why there is no value
}

// resolveFixed works out the variables that the file and the provisioned
// datasources say all about.
func resolveFixed(v *dashboard.Variable, s *Scope, sources []*stack.Datasource, r Range) (fixed, error) {
	switch v.Type.Value {
	case "custom":
		return resolveCustom(v, s)
	case "constant":
		return plain(v, v.Query.Value), nil
	case "textbox":
		if len(v.CurrentValue) > 0 && v.CurrentValue[0] != "" {
			return plain(v, v.CurrentValue[0]), nil
		}
		return plain(v, v.Query.Value), nil
	case "switch":
		return plain(v, strings.Join(v.CurrentValue, "")), nil
	case "interval":
		return resolveInterval(v, r)
	case "datasource":
		return resolveSources(v, s, sources)
	case "adhoc":
		return fixed{unchecked: "ad hoc filters have no value; those saved are added to the queries"}, nil
	default:
		return fixed{unchecked: fmt.Sprintf("variables of type %q are not known", v.Type.Value)}, nil
	}
}

// plain is a variable with one value that nothing has to offer.
func plain(v *dashboard.Variable, value string) fixed {
	return fixed{
		value:   Value{Name: v.Name.Value, Values: []string{value}, Texts: []string{value}},
		options: []dashboard.Option{{Text: value, Value: value}},
		free:    true,
	}
}

func resolveCustom(v *dashboard.Variable, s *Scope) (fixed, error) {
	text, err := s.Interpolate(v.Query.Value, Plain)
	if err != nil {
		return fixed{}, fmt.Errorf("interpolate the options: %w", err)
	}
	options := customOptions(text)
	if v.Node.Get("valuesFormat").Str() == "json" {
		if options, err = customJSONOptions(text); err != nil {
			return fixed{}, err
		}
	}
	if len(options) == 0 && len(v.CurrentValue) > 0 {
		return fixed{value: savedValue(v)}, nil // Grafana keeps what is saved
	}
	f := fixed{options: options}
	f.value, f.missing = choose(v, options)
	return f, nil
}

const (
	autoValue       = "$__auto"
	autoValueLegacy = "$__auto_interval_"
	defaultAutoMin  = "10s"
	defaultAutoStep = 30
)

// resolveInterval offers the intervals in the query; "auto" is worked out from
// the range.
func resolveInterval(v *dashboard.Variable, r Range) (fixed, error) {
	f := fixed{}
	for _, o := range customOptions(v.Query.Value) {
		if o.Value = strings.Trim(o.Value, `"'`); o.Value != "auto" && o.Value != "" {
			f.options = append(f.options, dashboard.Option{Text: o.Value, Value: o.Value})
		}
	}
	f.value = Value{Name: v.Name.Value, Options: f.options}
	saved := ""
	if len(v.CurrentValue) > 0 {
		saved = v.CurrentValue[0]
	}
	if saved == autoValue || strings.HasPrefix(saved, autoValueLegacy) {
		interval, err := autoInterval(v, r)
		if err != nil {
			return fixed{}, err
		}
		f.value.Values, f.value.Texts = []string{interval}, []string{"auto"}
		return f, nil
	}
	if i := slices.IndexFunc(f.options, func(o dashboard.Option) bool { return o.Value == saved }); i >= 0 {
		f.value.pick(f.options[i : i+1])
		return f, nil
	}
	f.missing = saved != "" && len(f.options) > 0
	if len(f.options) > 0 {
		f.value.pick(f.options[:1])
	}
	return f, nil
}

func autoInterval(v *dashboard.Variable, r Range) (string, error) {
	count := v.AutoCount
	if count <= 0 {
		count = defaultAutoStep
	}
	text := v.AutoMin
	if text == "" {
		text = defaultAutoMin
	}
	least, err := parseInterval(text)
	if err != nil {
		return "", fmt.Errorf("min interval of auto: %w", err)
	}
	return formatInterval(max(roundInterval(r.Duration()/time.Duration(count)), least)), nil
}

// resolveSources offers the datasources of one type, uid as value, name as text.
func resolveSources(v *dashboard.Variable, s *Scope, sources []*stack.Datasource) (fixed, error) {
	regex, err := s.interpolateAs(v.Regex.Value, "regex")
	if err != nil {
		return fixed{}, fmt.Errorf("interpolate the regex: %w", err)
	}
	offered, err := sourcesNamed(regex, v.Query.Value, sources)
	if err != nil {
		return fixed{}, err
	}
	f := fixed{}
	for _, ds := range offered {
		f.options = append(f.options, dashboard.Option{Text: ds.Name.Value, Value: ds.EffectiveUID})
	}
	slices.SortStableFunc(f.options, func(a, b dashboard.Option) int {
		return strings.Compare(strings.ToLower(a.Text), strings.ToLower(b.Text))
	})
	saved := *v
	saved.CurrentValue = savedUIDs(v, sources)
	f.value, f.missing = choose(&saved, f.options)
	return f, nil
}

// sourcesNamed are the datasources of a type whose name matches, all for "".
func sourcesNamed(regex, kind string, sources []*stack.Datasource) ([]*stack.Datasource, error) {
	var found []*stack.Datasource
	var names []string
	for _, ds := range sources {
		if ds.Type.Value == kind {
			found, names = append(found, ds), append(names, ds.Name.Value)
		}
	}
	if regex == "" {
		return found, nil
	}
	re, err := compileRegex(regex)
	if err != nil {
		return nil, err
	}
	matches, err := re.matchAll(names)
	if err != nil {
		return nil, err
	}
	var kept []*stack.Datasource
	for i, ds := range found {
		if len(matches[i]) > 0 {
			kept = append(kept, ds)
		}
	}
	return kept, nil
}

// savedUIDs spells the saved selection in uids: files also hold names, and
// "default".
func savedUIDs(v *dashboard.Variable, sources []*stack.Datasource) []string {
	uids := slices.Clone(v.CurrentValue)
	for i, key := range uids {
		if key == "default" {
			if ds, _, err := defaultSource("", sources); err == nil {
				uids[i] = ds.EffectiveUID
			}
		} else if ds := findSource(key, sources); ds != nil {
			uids[i] = ds.EffectiveUID
		}
	}
	return uids
}
