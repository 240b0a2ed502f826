package rule

import (
	"fmt"

	"github.com/panelgate/panelgate/stack/source"
)

// dashboardIDSet finds the row number of somebody's database in a file.
func dashboardIDSet() Rule {
	return Rule{
		ID:       "dashboard/id-set",
		Severity: Warning,
		Summary:  "a numeric id of some Grafana's database is kept in a dashboard file",
		Static: func(in *Static) []Finding {
			var out []Finding
			for _, b := range readable(in.Boards) {
				if k := b.ID.Kind(); k != source.Number && k != source.String {
					continue
				}
				if id, ok := b.ID.Int(); b.ID.Scalar() == "" || ok && id == 0 {
					continue // what stands for none
				}
				f := onBoard(b.Dashboard, b.ID.Pos())
				f.Message = fmt.Sprintf("id %s is the dashboard's number in one Grafana's database: elsewhere it may be another dashboard's", b.ID.Scalar())
				f.Fix = `write "id": null`
				f.Repair = &Repair{What: fmt.Sprintf("id %s becomes null", b.ID.Scalar()), Replace: []Replacement{{From: f.Pos, With: "null"}}}
				out = append(out, f)
			}
			return out
		},
	}
}
