package rule

// gateRules are the rules about the gate itself and its configuration.
func gateRules() []Rule {
	return []Rule{
		gateNothingChecked(),
		gateMappingUnmatched(),
		gateExpectationExpired(),
		gateExpectationUnmatched(),
		gateExpectationStale(),
		gateExclusionInvalid(),
		gateExclusionUnused(),
	}
}
