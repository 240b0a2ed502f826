package compare

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/panelgate/panelgate/fakes/exposition"
)

// family compares the series of a family that both have.
func (x *comparison) family(recorded, fake *exposition.Family) {
	x.labels(recorded, fake)
	x.formats(recorded, fake)
	sameBounds := x.bounds(recorded, fake)
	if x.Machine && sameBounds && toldOf(x.exporter, recorded.Name) {
		x.machine(recorded, fake)
	} else if !x.real.Redacted {
		x.series(recorded, fake)
	}
}

// labelSets are the label names that the series of a family have, as printed, by the same in the order of the alphabet; each after the part
// of the family that has them, as "_bucket".
func labelSets(f *exposition.Family) map[string]string {
	out := map[string]string{}
	for _, s := range f.Samples {
		var names []string
		for _, l := range s.Labels {
			names = append(names, l.Name)
		}
		part := strings.TrimPrefix(s.Name, f.Name) + "{"
		printed := part + strings.Join(names, ",") + "}"
		slices.Sort(names)
		sorted := part + strings.Join(names, ",") + "}"
		if _, ok := out[sorted]; !ok {
			out[sorted] = printed
		}
	}
	return out
}

// labels compares label names and their order. Where the fake has all that the real one has, that it has others as well says that its
// world is richer.
func (x *comparison) labels(recorded, fake *exposition.Family) {
	reals, fakes := labelSets(recorded), labelSets(fake)
	if len(reals) == 0 || len(fakes) == 0 {
		return // a family without series has none
	}
	var missing []string
	for _, set := range slices.Sorted(maps.Keys(reals)) {
		printed, ok := fakes[set]
		switch {
		case !ok:
			missing = append(missing, reals[set])
		case printed != reals[set]:
			x.differs(Difference{Kind: LabelOrder, Family: recorded.Name, Real: reals[set], Fake: printed})
		}
	}
	if len(missing) > 0 {
		x.result.LabelNames += unshared(recorded, fake)
		x.differs(Difference{
			Kind: Labels, Family: recorded.Name, Real: strings.Join(missing, " "), Fake: strings.Join(slices.Sorted(maps.Values(fakes)), " "),
		})
	}
}

// unshared is how many label names only one of two families has.
func unshared(a, b *exposition.Family) int {
	in := map[string]int{}
	for bit, f := range []*exposition.Family{a, b} {
		for _, s := range f.Samples {
			for _, l := range s.Labels {
				in[l.Name] |= 1 << bit
			}
		}
	}
	n := 0
	for _, which := range in {
		if which != 3 { // in one of them
			n++
		}
	}
	return n
}

// formats compares how numbers are spelled, for each name that samples have.
func (x *comparison) formats(recorded, fake *exposition.Family) {
	texts := func(f *exposition.Family) map[string][]string {
		out := map[string][]string{}
		for _, s := range f.Samples {
			out[s.Name] = append(out[s.Name], s.Value)
		}
		return out
	}
	reals, fakes := texts(recorded), texts(fake)
	for _, name := range slices.Sorted(maps.Keys(reals)) {
		if len(fakes[name]) == 0 {
			continue
		}
		own, other := exposition.FormatOf(reals[name]), exposition.FormatOf(fakes[name])
		if !own.Agrees(other) {
			x.differs(Difference{
				Kind: NumberFormat, Family: recorded.Name, Real: reals[name][0] + " (" + own.String() + ")", Fake: fakes[name][0] + " (" + other.String() + ")",
			})
		}
	}
}

// bounds compares buckets and quantiles, which can be configured; it says whether they are the same.
func (x *comparison) bounds(recorded, fake *exposition.Family) bool {
	same := true
	for _, label := range []string{"le", "quantile"} {
		own, other := boundsOf(recorded, label), boundsOf(fake, label)
		if own != "" && other != "" && own != other {
			same = false
			x.aside(Difference{Kind: Bounds, Family: recorded.Name, Real: own, Fake: other, Note: label + ": they follow from the configuration or the model"})
		}
	}
	return same
}

// boundsOf are the values of a label in the order in which they are first printed.
func boundsOf(f *exposition.Family, label string) string {
	var out []string
	for _, s := range f.Samples {
		if v := s.Label(label); v != "" && !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return strings.Join(out, ",")
}

// series compares the order of series. Where both have the very same ones, that must be the same; where they have not, one that is
// sorted must be sorted in the other as well.
func (x *comparison) series(recorded, fake *exposition.Family) {
	own, other := printed(recorded), printed(fake)
	if slices.Equal(own, other) {
		return
	}
	if slices.Equal(slices.Sorted(slices.Values(own)), slices.Sorted(slices.Values(other))) {
		x.differs(Difference{Kind: SeriesOrder, Family: recorded.Name, Real: some(own), Fake: some(other)})
		return
	}
	// Three or more are not sorted by chance alone; hash order, as Triton's, is not judged by this.
	const telling = 3
	if x.exporter != "node" || len(own) < telling || len(other) < telling || recorded.Type != "gauge" && recorded.Type != "counter" {
		return
	}
	if a, b := isSorted(recorded), isSorted(fake); a != b {
		words := map[bool]string{true: "sorted by label values", false: "not sorted"}
		x.differs(Difference{Kind: SeriesOrder, Family: recorded.Name, Real: words[a], Fake: words[b]})
	}
}

func printed(f *exposition.Family) []string {
	var out []string
	for _, s := range f.Samples {
		out = append(out, s.Series)
	}
	return out
}

// isSorted says whether series stand in the order of their label values, as client_golang sorts them.
func isSorted(f *exposition.Family) bool {
	return slices.IsSortedFunc(f.Samples, func(a, b *exposition.Line) int {
		if len(a.Labels) != len(b.Labels) {
			return len(a.Labels) - len(b.Labels)
		}
		for i := range a.Labels {
			if c := cmp.Compare(a.Labels[i].Value, b.Labels[i].Value); c != 0 {
				return c
			}
		}
		return 0
	})
}
