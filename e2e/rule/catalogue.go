package rule

import "slices"

// All is the catalogue, in the order of its documentation: on the way from the
// compose file to a panel.
func All() []Rule {
	all := slices.Concat(fileRules(), alertRules(), boardRules(), upgradeRules(), []Rule{panelNoData()}, promqlRules(), valueRules(), gateRules())
	slices.SortStableFunc(all, func(a, b Rule) int {
		return slices.Index(areas(), area(a.ID)) - slices.Index(areas(), area(b.ID))
	})
	return all
}
