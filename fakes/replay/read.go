package replay

import (
	"errors"
	"fmt"
	"strings"

	"github.com/panelgate/panelgate/fakes/exposition"
	"github.com/panelgate/panelgate/fakes/recording"
)

// read is a recording as it is understood.
type read struct {
	recording *recording.Recording
	pages     []page
	seen      []*seen // by series
}

// seen is what was recorded of a series.
type seen struct {
	line     *exposition.Line // its first
	family   string
	kind     string // the family's type, "" where it is not said
	pages    []int
	texts    []string // a page's value, as printed
	values   []float64
	isNumber bool // every value is finite
}

// part is what the series is of its family: "" for the family's own name, else the ending, as "_bucket".
func (s *seen) part() string { return strings.TrimPrefix(s.line.Name, s.family) }

// group is what the series of one histogram or summary share.
func (s *seen) group() string {
	var b strings.Builder
	b.WriteString(s.family)
	for _, l := range s.line.Labels {
		if l.Name != "le" && l.Name != "quantile" {
			b.WriteString("\x00" + l.Name + "\x00" + l.Value)
		}
	}
	return b.String()
}

func readPages(r *recording.Recording) (*read, error) {
	if len(r.Scrapes) == 0 {
		return nil, errors.New("the recording has no scrape")
	}
	out := &read{recording: r}
	index := map[string]int{}
	for i := range r.Scrapes {
		lines, err := exposition.Parse(r.Scrapes[i].Body)
		if err != nil {
			return nil, fmt.Errorf("scrape %d: %w", i+1, err)
		}
		if i > 0 && !r.Scrapes[i].At.After(r.Scrapes[i-1].At) {
			return nil, fmt.Errorf("scrape %d: it was not made after the one before", i+1)
		}
		p := page{at: r.Scrapes[i].At.Sub(r.Scrapes[0].At).Milliseconds(), lines: make([]line, 0, len(lines))}
		families := map[*exposition.Line]*exposition.Family{}
		for _, f := range exposition.Families(lines) {
			for _, s := range f.Samples {
				families[s] = f
			}
		}
		for j := range lines {
			l := &lines[j]
			if l.Kind != exposition.Sample {
				p.lines = append(p.lines, line{text: l.Text, series: -1})
				continue
			}
			number, known := index[l.Series]
			if !known {
				number = len(out.seen)
				index[l.Series] = number
				first := *l // which does not keep its whole page
				out.seen = append(out.seen, &seen{line: &first, family: families[l].Name, kind: families[l].Type, isNumber: true})
			}
			if err := out.seen[number].add(i, l.Value); err != nil {
				return nil, fmt.Errorf("scrape %d: %w", i+1, err)
			}
			p.lines = append(p.lines, out.sample(i, number, l))
		}
		out.pages = append(out.pages, p)
	}
	return out, nil
}

func (s *seen) add(page int, text string) error {
	v, err := exposition.ParseValue(text)
	if err != nil {
		return err
	}
	s.pages, s.texts, s.values = append(s.pages, page), append(s.texts, text), append(s.values, v)
	s.isNumber = s.isNumber && v-v == 0 // neither NaN nor infinite
	return nil
}

// sample is the line of a series on a page, its timestamp turned into an age.
func (r *read) sample(page, series int, l *exposition.Line) line {
	out := line{series: series, value: l.Value, rest: l.Rest}
	stamp, exemplar, hasExemplar := strings.Cut(l.Rest, "#")
	stamp = strings.TrimSpace(stamp)
	v, err := exposition.ParseValue(stamp)
	if stamp == "" || err != nil {
		return out
	}
	out.stamped, out.rest = true, ""
	if hasExemplar {
		out.rest = " #" + exemplar
	}
	if strings.HasPrefix(r.recording.Scrapes[0].ContentType(), "application/openmetrics-text") {
		v *= 1000
	}
	if at := r.recording.Scrapes[page].At; !at.IsZero() {
		out.age = at.UnixMilli() - int64(v)
	}
	return out
}
