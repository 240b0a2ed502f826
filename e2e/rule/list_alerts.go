package rule

// alertRules are the rules about recording and alerting rules, those of Prometheus and those of Grafana.
func alertRules() []Rule {
	return []Rule{prometheusRuleFailed(), alertInvalid(), alertNeverFires(), alertAlwaysFires()}
}
