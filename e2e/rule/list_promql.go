package rule

// promqlRules are the rules about expressions: what they ask of which metrics.
func promqlRules() []Rule {
	return []Rule{
		promqlRateWindow(),
		promqlRateOfGauge(),
		promqlCounterRaw(),
		promqlHistogramNoLE(),
		promqlQuantileAggregated(),
		promqlJoinImpossible(),
		promqlNaNHidden(),
		promqlMetricRemoved(),
		tritonEnsembleDoubleCount(),
		tritonPerExecution(),
	}
}
