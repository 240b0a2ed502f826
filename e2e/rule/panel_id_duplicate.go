package rule

import (
	"fmt"
	"strconv"

	"github.com/panelgate/panelgate/stack/dashboard"
)

// panelIDDuplicate finds panels that Grafana cannot tell apart, those inside of
// rows included. It renumbers one of them at each load, so that links lead astray.
func panelIDDuplicate() Rule {
	return Rule{
		ID:       "panel/id-duplicate",
		Severity: Error,
		Summary:  "two panels of a dashboard share an id",
		Static: func(in *Static) []Finding {
			var out []Finding
			for _, b := range readable(in.Boards) {
				first, highest := map[int64]*dashboard.Panel{}, int64(0)
				for _, p := range b.Panels {
					highest = max(highest, PanelID(p))
				}
				for _, p := range b.Panels {
					id := PanelID(p)
					if id == 0 || p.Clone {
						continue
					}
					if first[id] == nil {
						first[id] = p
						continue
					}
					highest++
					out = append(out, sharedID(b, first[id], p, highest))
				}
			}
			return out
		},
	}
}

func sharedID(b *Board, first, second *dashboard.Panel, free int64) Finding {
	f := onPanel(b.Dashboard, second, second.ID.Pos)
	f.Message = fmt.Sprintf("panels %q and %q share the id %s: links, alerts and repeats that mean one may reach the other",
		first.Path(), second.Path(), second.ID.Value)
	f.Evidence = []string{fmt.Sprintf("the first stands at %s", first.ID.Pos)}
	f.Fix = fmt.Sprintf("give %q the id %d", second.Path(), free)
	if shownElsewhere(b, second.ID.Value) {
		return f // which of the two is shown there is not certain
	}
	f.Repair = &Repair{
		What:    fmt.Sprintf("%q gets the id %d", second.Path(), free),
		Replace: []Replacement{{From: second.ID.Pos, With: strconv.FormatInt(free, 10)}},
	}
	return f
}

// shownElsewhere says whether another panel shows the result of the panel of this id.
func shownElsewhere(b *Board, id string) bool {
	for _, p := range b.Panels {
		for _, t := range p.Targets {
			if t.PanelID.Value == id {
				return true
			}
		}
	}
	return false
}
