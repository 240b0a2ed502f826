package dashboard

// Fold forgets what has been made of the file beyond the model: rules look into the JSON
// of one dashboard after the other, and hundreds of open ones fill the memory. What is
// looked at again is read again.
func (d *Dashboard) Fold() {
	d.Root.Fold()
	for _, p := range d.Panels {
		p.Node.Fold()
		p.Place.Fold()
		for _, t := range p.Targets {
			t.Node.Fold()
		}
	}
	for _, v := range d.Variables {
		v.Node.Fold()
	}
	for _, a := range d.Annotations {
		a.Node.Fold()
	}
	d.Root.FoldFile()
}
