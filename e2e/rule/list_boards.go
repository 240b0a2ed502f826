package rule

// boardRules are the rules about dashboards, their variables and their panels.
func boardRules() []Rule {
	return []Rule{
		dashboardInvalid(),
		dashboardV2InFile(),
		dashboardAPIWrapper(),
		dashboardUIDDuplicate(),
		dashboardUIDMissing(),
		dashboardUIDTooLong(),
		dashboardIDSet(),
		dashboardEmpty(),
		dashboardNotProvisioned(),
		variableUndefined(),
		variableEmpty(),
		variableQueryError(),
		variableDefaultMissing(),
		variableFormatEscapes(),
		variableUnused(),
		panelNaN(),
		panelQueryError(),
		panelAnswersDiffer(),
		panelSyntax(),
		panelIDDuplicate(),
		panelTypeRemoved(),
		panelPluginMissing(),
		panelUnchecked(),
	}
}
