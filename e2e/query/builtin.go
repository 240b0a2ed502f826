package query

// IsBuiltin says whether Grafana itself defines the variable, in queries, in
// legends or in links, so that a dashboard need not.
func IsBuiltin(name string) bool {
	switch name {
	case "__interval", "__interval_ms", "__rate_interval", "__rate_interval_ms",
		"__range", "__range_s", "__range_ms", "__auto",
		"__from", "__to", "__timezone", "timeFilter", "__timeFilter",
		"__all", "__name", "__dashboard", "__org", "__user",
		"__searchFilter", "__search_filter":
		return true
	case "__field", "__series", "__value", "__data", "__cell", "__text", // legends, links
		"__url", "__url_time_range", "__all_variables":
		return true
	}
	return isCell(name)
}

// isCell recognises the cells of a table row in links: __cell_0, __cell_1, ….
func isCell(name string) bool {
	const prefix = "__cell_"
	if len(name) <= len(prefix) || name[:len(prefix)] != prefix {
		return false
	}
	for _, c := range name[len(prefix):] {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
