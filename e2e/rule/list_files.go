package rule

// fileRules are the rules about the files that lead to a panel: the compose
// file, prometheus.yml and Grafana's provisioning, and about the gate itself.
func fileRules() []Rule {
	return []Rule{
		stackComposeInvalid(),
		stackPlaceholder(),
		stackMountMissing(),
		stackPortConflict(),
		stackImageUnpinned(),
		stackDefaultPassword(),
		stackServerFailed(),
		prometheusConfigInvalid(),
		prometheusNoTarget(),
		prometheusTargetDown(),
		prometheusRecordingRuleMissing(),
		datasourceInvalid(),
		datasourceUIDUnknown(),
		datasourceUIDImplicit(),
		datasourceInputUnresolved(),
		datasourceTypeMismatch(),
		datasourceDuplicate(),
		datasourceURLUnreachable(),
		datasourceTimeInterval(),
		datasourceUnknownKey(),
		datasourceUnhealthy(),
		dashboardProviderInvalid(),
	}
}
