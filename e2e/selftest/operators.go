package selftest

import "slices"

// Operators is the table of all ways to break a stack, on the way from the compose
// file to a panel.
func Operators() []Operator {
	return slices.Concat(composeOperators(), prometheusOperators(), datasourceOperators(), providerOperators(),
		boardOperators(), panelOperators(), variableOperators(), selectorOperators(), windowOperators(), arithmeticOperators(),
		groupingOperators())
}

// by are findings of rules, whatever the reason.
func by(rules ...string) []Ought {
	var out []Ought
	for _, id := range rules {
		out = append(out, Ought{Rule: id})
	}
	return out
}

// empty are panels without data, for one of the reasons.
func empty(reasons ...string) []Ought {
	var out []Ought
	for _, r := range reasons {
		out = append(out, Ought{Rule: "panel/no-data", Reason: r})
	}
	return out
}
