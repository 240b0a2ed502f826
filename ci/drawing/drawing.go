// Package drawing is what a dashboard looks like: where each panel stands, and what is
// drawn in it, from the data that its queries returned. It is the part of Grafana's
// front end that a report needs, worked out once, so that the page, the pictures and
// whoever reads the event stream show the same.
package drawing

import (
	"github.com/panelgate/panelgate/e2e/rule"
)

// Drawing is one dashboard.
type Drawing struct {
	File   string  `json:"file"` // the dashboard's file, by which reports know it
	UID    string  `json:"uid"`
	Title  string  `json:"title"`
	Panels []Panel `json:"panels"`
}

// Panel is one panel, or a row.
type Panel struct {
	ID    int64  `json:"id"`
	Title string `json:"title"`
	Type  string `json:"type"`
}

// Of draws a dashboard from what its queries were answered; asked is empty where
// nothing was.
func Of(b *rule.Board, asked []*rule.Asked) *Drawing {
	d := &Drawing{UID: b.UID.Value, Title: b.Title.Value}
	for _, p := range b.Panels {
		d.Panels = append(d.Panels, Panel{ID: rule.PanelID(p), Title: p.Title.Value, Type: p.Type.Value})
	}
	return d
}
