package rule

// valueRules are the rules about what a panel shows: values, units, names.
func valueRules() []Rule {
	return []Rule{
		panelUnitMismatch(),
		valueDiffersFromTruth(),
		panelLegendLabelMissing(),
		panelFieldUnmatched(),
		valueOutOfRange(),
		valueAllZero(),
	}
}
