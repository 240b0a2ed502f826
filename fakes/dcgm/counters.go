package dcgm

import (
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/panelgate/panelgate/fakes/release"
)

// counterLine is a line of a counters file: a field, what kind of metric it is made and what is said of it.
type counterLine struct {
	field
	kind string // gauge, counter, histogram or summary, or label
	help string
	exp  bool // a metric of the exporter's own
}

// imageDir is where the image has its counters files.
const imageDir = "/etc/dcgm-exporter"

// defaultCounters is the counters file that is read where none is named.
const defaultCounters = imageDir + "/default-counters.csv"

// The types that a counters file may give a field.
const (
	counter = "counter"
	gauge   = "gauge"
	label   = "label"
)

func kinds() []string { return []string{gauge, counter, "histogram", "summary"} }

// Metrics of the exporter's own. Their numbers are behind all of DCGM's.
const (
	xidCount    = "DCGM_EXP_XID_ERRORS_COUNT"
	clockEvents = "DCGM_EXP_CLOCK_EVENTS_COUNT"
	gpuHealth   = "DCGM_EXP_GPU_HEALTH_STATUS"
	p2pStatus   = "DCGM_EXP_P2P_STATUS"
)

// ownMetric is one of them: its number, and the first release that has it.
type ownMetric struct {
	id    int
	since string
}

func ownMetrics() map[string]ownMetric {
	return map[string]ownMetric{
		xidCount: {9001, "3.3.5"}, clockEvents: {9002, "3.3.5"}, gpuHealth: {9003, "4.0.0"}, p2pStatus: {9004, "4.3.1"},
	}
}

// readCounters reads the counters file of that name: one of the setup's, or else of the image's own.
func readCounters(name string, files map[string]string, d *dialect) ([]counterLine, error) {
	text, ok := files[name]
	if !ok {
		if text, ok = imageFile(name, d.release); !ok {
			return nil, fmt.Errorf("counters file %s: its contents are not known; dcgm-exporter does not start without it", name)
		}
	}
	known, err := fields()
	if err != nil {
		return nil, err
	}
	r := csv.NewReader(strings.NewReader(text))
	r.Comment = '#'
	var lines []counterLine
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, brokenCSV(name, record, err)
		}
		at, _ := r.FieldPos(0)
		line, err := readCounter(record, known, d)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, at, err)
		}
		if !slices.ContainsFunc(lines, func(l counterLine) bool { return l.id == line.id && l.id != 0 }) { // only the first of a field is looked up
			lines = append(lines, line)
		}
	}
	if d.byField {
		slices.SortStableFunc(lines, func(a, b counterLine) int { return cmp.Compare(a.id, b.id) })
	}
	return lines, nil
}

// brokenCSV is the error of a file that is no table.
func brokenCSV(name string, record []string, err error) error {
	var broken *csv.ParseError
	if !errors.As(err, &broken) {
		return fmt.Errorf("%s: %w", name, err)
	}
	if errors.Is(err, csv.ErrFieldCount) && len(record) > 3 {
		return fmt.Errorf("%s:%d: %w. A comma in a help needs quotes around it", name, broken.Line, wrongColumns(len(record)))
	}
	return fmt.Errorf("%s:%d: dcgm-exporter does not start: %w", name, broken.Line, broken.Err)
}

func wrongColumns(n int) error {
	return fmt.Errorf("%d columns; dcgm-exporter does not start with more or fewer than name, type, help", n)
}

func readCounter(record []string, known map[string]field, d *dialect) (counterLine, error) {
	for i := range record {
		record[i] = strings.Trim(record[i], " ")
	}
	if len(record) != 3 {
		return counterLine{}, wrongColumns(len(record))
	}
	name, kind, help := record[0], record[1], record[2]
	if own, ok := ownMetrics()[name]; ok {
		if d.release.Before(own.since) {
			since := paired(release.MustParse(own.since))
			return counterLine{}, fmt.Errorf("%s is there since %s; dcgm-exporter %s does not start with it", name, since, d.release)
		}
		return counterLine{field: field{name: name, id: own.id, format: formatInt, entity: entityGPU}, kind: kind, help: help, exp: true}, nil
	}
	f, ok := known[name]
	if !ok {
		return counterLine{}, fmt.Errorf("DCGM has no field %q; dcgm-exporter does not start with it%s", name, nearest(name, known))
	}
	if kind == label && d.labels || slices.Contains(kinds(), kind) {
		return counterLine{field: f, kind: kind, help: help}, nil
	}
	allowed := strings.Join(kinds(), ", ")
	if d.labels {
		allowed += ", " + label
	}
	return counterLine{}, fmt.Errorf("%s: %q is no type that dcgm-exporter %s takes; it starts with %s only", name, kind, d.release, allowed)
}

// nearest is a hint at a field whose name is like one that is not there, "" where none is.
func nearest(name string, known map[string]field) string {
	best, shared := "", len("DCGM_FI_DEV_")
	for candidate := range known {
		n := commonPrefix(strings.ToUpper(name), candidate) + commonSuffix(strings.ToUpper(name), candidate)
		if n > shared || n == shared && candidate < best {
			best, shared = candidate, n
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + best + "?"
}

func commonPrefix(a, b string) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

func commonSuffix(a, b string) int {
	n := 0
	for n < min(len(a), len(b)) && a[len(a)-1-n] == b[len(b)-1-n] {
		n++
	}
	return n
}

// imageFile is the text of a counters file that comes with the image; false where there is none of that name.
func imageFile(name string, r release.Release) (string, bool) {
	if path.Dir(name) != imageDir {
		return "", false
	}
	rows, err := table("counters.csv", 6)
	if err != nil {
		panic("dcgm: " + err.Error()) // a test reads all of it
	}
	var b strings.Builder
	w := csv.NewWriter(&b)
	found := false
	for _, row := range rows {
		if row[0] != path.Base(name) {
			continue
		}
		found = true
		if from, until := row[4], row[5]; (from == "" || since(r, from)) && (until == "" || !since(r, until)) {
			if err := w.Write(row[1:4]); err != nil {
				panic("dcgm: " + err.Error()) // a strings.Builder takes everything
			}
		}
	}
	w.Flush()
	return b.String(), found
}
