package rule

// valueRules are the rules about what a panel shows: values, units, names.
func valueRules() []Rule {
	return []Rule{
		panelUnitMismatch(),
		panelPartEmpty(),
		valueDiffersFromTruth(),
		panelLegendLabelMissing(),
		panelFieldUnmatched(),
		valueOutOfRange(),
		valueAllZero(),
	}
}
