package report

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/panelgate/panelgate/e2e/rule"
)

// mostAnnotations is how many of a kind GitHub shows of one step.
const mostAnnotations = 10

// Annotations writes the findings as workflow commands, which GitHub shows beside the
// lines of a pull request: the gravest first, and as many as it shows.
func Annotations(w io.Writer, d *Document) error {
	var out bytes.Buffer
	if d.Error != "" {
		annotate(&out, "error", nil, "panelgate could not run", d.Error)
	}
	findings := slices.Clone(d.Findings)
	slices.SortStableFunc(findings, func(a, b Finding) int { return cmp.Compare(b.Weight(), a.Weight()) })
	columns := d.Checkout.columns()
	left := room(findings)
	more := 0
	for _, f := range findings {
		if left[f.Weight()] == 0 {
			more++
			continue
		}
		left[f.Weight()]--
		file, line := d.where(f)
		at := []string{"file=" + property(d.Checkout.name(file)), "line=" + strconv.Itoa(line)}
		if column := columns.of(f.File, f.Line, f.Column); column > 0 {
			at = append(at, "col="+strconv.Itoa(column))
		}
		annotate(&out, annotationKind(f.Weight()), at, f.Rule, brief(f))
	}
	if more > 0 {
		annotate(&out, "notice", nil, "panelgate", plural(more, "finding")+
			" more: GitHub shows ten of a kind. The job's log has them, and so have its summary and the reports that were asked for")
	}
	if _, err := w.Write(out.Bytes()); err != nil {
		return fmt.Errorf("write the annotations: %w", err)
	}
	return nil
}

// room is how many findings of a severity are annotated. Where some are left out, the
// last notice says so.
func room(findings []Finding) map[rule.Severity]int {
	left := map[rule.Severity]int{rule.Error: mostAnnotations, rule.Warning: mostAnnotations, rule.Info: mostAnnotations}
	there := map[rule.Severity]int{}
	for _, f := range findings {
		if there[f.Weight()]++; there[f.Weight()] > mostAnnotations {
			left[rule.Info] = mostAnnotations - 1
		}
	}
	return left
}

func annotationKind(s rule.Severity) string {
	switch s {
	case rule.Error:
		return "error"
	case rule.Warning:
		return "warning"
	}
	return "notice"
}

func annotate(out *bytes.Buffer, kind string, at []string, title, message string) {
	at = append(at, "title="+property(title))
	fmt.Fprintf(out, "::%s %s::%s\n", kind, strings.Join(at, ","), commandData(Clean(message))) // a bytes.Buffer never fails
}

// commandData is text that the runner takes for no end of a command.
func commandData(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

// property is the same for what stands before the text.
func property(s string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(commandData(Clean(s)))
}

// Disarm takes the meaning out of what GitHub's runner would take for a command in a
// log: a line that begins with two colons, after any blank space, and ##[ anywhere. An
// expression over several lines may have either.
func Disarm(log []byte) []byte {
	// The runner ends lines at returns too, and what it takes for blank space is Unicode's.
	log = regexp.MustCompile(`((?:^|[\r\n])[\s\v\p{Z}\x{85}\x{200b}]*):(:)`).ReplaceAll(log, []byte("${1}:\u200b${2}"))
	return bytes.ReplaceAll(log, []byte("##["), []byte("#\u200b#["))
}
