package query

import (
	"slices"

	"github.com/panelgate/panelgate/stack/dashboard"
)

// valueOf is an empty value with what the variable's settings say of it.
func valueOf(v *dashboard.Variable) Value {
	return Value{
		Name: v.Name.Value, Multi: v.Multi, IncludeAll: v.IncludeAll, AllValue: v.AllValue.Value,
	}
}

// savedValue is the selection in the file, whether or not it is on offer.
func savedValue(v *dashboard.Variable) Value {
	val := valueOf(v)
	for _, o := range v.Options {
		if o.Value != allOption {
			val.Options = append(val.Options, o)
		}
	}
	if v.IsAll() {
		val.All = true
		return val
	}
	val.Values, val.Texts = v.CurrentValue, v.CurrentText
	if len(val.Texts) != len(val.Values) {
		val.Texts = val.Values
	}
	if !v.Multi && len(val.Values) > 1 {
		val.Values, val.Texts = val.Values[:1], val.Texts[:1]
	}
	return val
}

// choose selects among the options as Grafana does when a dashboard opens: the
// saved selection as far as it is on offer, else All where the variable has it,
// else the first option. missing says that something saved is not on offer.
func choose(v *dashboard.Variable, options []dashboard.Option) (val Value, missing bool) {
	val = savedValue(v)
	val.Options = options
	switch {
	case len(options) == 0:
		val.All, val.Values, val.Texts = v.IncludeAll, nil, nil
		return val, false
	case val.All:
		if v.IncludeAll {
			return val, false
		}
		val.All = false
		val.pick(options[:1])
		return val, true
	case len(val.Values) == 0 || len(val.Values) == 1 && val.Values[0] == "" && !offered(options, ""):
		val.chooseDefault()
		return val, false
	}
	valid := val.onOffer()
	missing = len(valid) < len(val.Values)
	if len(valid) == 0 {
		val.chooseDefault()
	} else {
		val.pick(valid)
	}
	return val, missing
}

func offered(options []dashboard.Option, value string) bool {
	return slices.ContainsFunc(options, func(o dashboard.Option) bool { return o.Value == value })
}

// onOffer are the options that the saved selection names, by value; a single
// selection also by its text.
func (v Value) onOffer() []dashboard.Option {
	var valid []dashboard.Option
	for i, value := range v.Values {
		j := slices.IndexFunc(v.Options, func(o dashboard.Option) bool { return o.Value == value })
		if j < 0 && !v.Multi {
			j = slices.IndexFunc(v.Options, func(o dashboard.Option) bool { return o.Text == v.Texts[i] })
		}
		if j >= 0 {
			valid = append(valid, v.Options[j])
		}
	}
	return valid
}

func (v *Value) chooseDefault() {
	if v.IncludeAll {
		v.All, v.Values, v.Texts = true, nil, nil
		return
	}
	v.pick(v.Options[:1])
}

func (v *Value) pick(options []dashboard.Option) {
	v.Values, v.Texts = nil, nil
	for _, o := range options {
		v.Values, v.Texts = append(v.Values, o.Value), append(v.Texts, o.Text)
	}
}
