package report

import (
	"fmt"
	"io"
	"net/url"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/panelgate/panelgate/e2e/rule"
)

// SARIF writes the findings in the Static Analysis Results Interchange Format, 2.1.0,
// which code hosts show beside the code and in a list of their own.
func SARIF(w io.Writer, d *Document) error {
	s := &sarif{Document: d, prints: d.fingerprints(), columns: d.Checkout.columns(), index: map[string]int{}}
	driver, err := s.driver()
	if err != nil {
		return fmt.Errorf("write the SARIF report: %w", err)
	}
	run := sarifRun{
		Tool: sarifTool{driver}, ColumnKind: "utf16CodeUnits", Results: []sarifResult{}, Invocations: []sarifInvocation{s.invocation()},
		Automation: sarifAutomation{s.automation()},
		Bases:      map[string]sarifBase{sourceRoot: {sarifMessage{Text: "the root of the repository"}}},
	}
	for _, f := range d.Findings {
		run.Results = append(run.Results, s.result(f))
	}
	for _, x := range d.Suppressed {
		run.Results = append(run.Results, s.suppressed(x))
	}
	return Encode(w, "SARIF", sarifLog{
		Schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run},
	})
}

// sourceRoot is what code hosts put the repository's root in the place of.
const sourceRoot = "%SRCROOT%"

// sarif is a document on its way into results.
type sarif struct {
	*Document
	prints  *fingerprints
	columns *columns
	index   map[string]int // of each rule in the driver
}

// driver lists every rule that could have found something.
func (s *sarif) driver() (sarifDriver, error) {
	d := sarifDriver{Name: "panelgate", Version: s.Version, Information: "https://github.com/panelgate/panelgate"}
	for _, r := range rule.All() {
		help, err := ruleHelp(r.ID)
		if err != nil {
			return d, err
		}
		area, _, _ := strings.Cut(r.ID, "/")
		s.index[r.ID] = len(d.Rules)
		d.Rules = append(d.Rules, sarifRule{
			ID: r.ID, Short: sarifMessage{Text: r.Summary}, Full: sarifMessage{Text: r.Summary}, Help: &sarifMessage{Text: help, Markdown: help},
			HelpURI: rulePage(r.ID), Default: sarifConfiguration{Enabled: r.Severity != rule.Off, Level: sarifLevel(r.Severity)},
			Properties: &sarifRuleProperties{Tags: []string{area}},
		})
	}
	for _, f := range s.Findings { // of a later version's report
		s.unknown(&d, f)
	}
	for _, x := range s.Suppressed {
		s.unknown(&d, x.Finding)
	}
	return d, nil
}

// unknown adds a rule of which no more is known than that it has found something.
func (s *sarif) unknown(d *sarifDriver, f Finding) {
	if _, known := s.index[f.Rule]; known {
		return
	}
	s.index[f.Rule] = len(d.Rules)
	text := sarifMessage{Text: "a rule that this version does not know"}
	d.Rules = append(d.Rules, sarifRule{
		ID: f.Rule, Short: text, Full: text, Default: sarifConfiguration{Enabled: true, Level: sarifLevel(f.Weight())},
	})
}

func sarifLevel(s rule.Severity) string {
	switch s {
	case rule.Error:
		return "error"
	case rule.Warning:
		return "warning"
	case rule.Info:
		return "note"
	}
	return "none"
}

func (s *sarif) result(f Finding) sarifResult {
	out := sarifResult{
		RuleID: f.Rule, RuleIndex: s.index[f.Rule], Level: sarifLevel(f.Weight()), Message: sarifMessage{Text: sarifText(brief(f))},
		Locations: []sarifLocation{s.location(f)}, Fingerprints: s.fingerprints(f),
	}
	if p := (sarifProperties{Reason: f.Reason, Expr: f.Expr, ExprRun: f.ExprRun}); p != (sarifProperties{}) {
		out.Properties = &p
	}
	return out
}

// fingerprints are ours, and again under the name by which GitHub knows an alert again:
// else it takes the text of the line, which is the same in two panels.
func (s *sarif) fingerprints(f Finding) map[string]string {
	mark := s.prints.of(f)
	return map[string]string{"panelgate/v1": mark, "primaryLocationLineHash": mark[:16] + ":1"}
}

// suppressed is a finding that somebody has excluded, in a file of its own.
func (s *sarif) suppressed(x Suppressed) sarifResult {
	out := s.result(x.Finding)
	why := x.Why
	if why == "" {
		why = "no reason is given"
	}
	by := sarifSuppression{Kind: "external", Status: "accepted", Justification: Clean(why)}
	if file, line, ok := parsePlace(x.By); ok {
		by.Location = &sarifLocation{Physical: s.physical(file, line, 0)}
	}
	out.Suppressions = []sarifSuppression{by}
	return out
}

// parsePlace takes file:line:column apart; a file's name may have colons.
func parsePlace(place string) (file string, line int, ok bool) {
	parts := strings.Split(place, ":")
	if len(parts) < 3 {
		return place, 0, place != ""
	}
	line, err := strconv.Atoi(parts[len(parts)-2])
	if err != nil {
		return place, 0, true
	}
	return strings.Join(parts[:len(parts)-2], ":"), line, true
}

func (s *sarif) location(f Finding) sarifLocation {
	file, line := s.where(f)
	out := sarifLocation{Physical: s.physical(file, line, s.columns.of(f.File, f.Line, f.Column))}
	if where := clickPath(f); where != "" {
		parts := strings.Split(where, " › ")
		out.Logical = []sarifLogical{{Name: Clean(parts[len(parts)-1]), FullName: Clean(where), Kind: "object"}}
	}
	return out
}

func (s *sarif) physical(file string, line, column int) sarifPhysical {
	out := sarifPhysical{Artifact: s.artifact(file)}
	if line > 0 {
		out.Region = &sarifRegion{StartLine: line, StartColumn: column}
	}
	return out
}

// artifact is a file's URI, below the repository's root where it is there.
func (s *sarif) artifact(file string) sarifArtifact {
	name, inside := s.Checkout.Rel(file)
	switch {
	case inside:
		return sarifArtifact{URI: (&url.URL{Path: name}).String(), Base: sourceRoot}
	case path.IsAbs(name):
		return sarifArtifact{URI: (&url.URL{Scheme: "file", Path: name}).String()}
	}
	return sarifArtifact{URI: (&url.URL{Path: name}).String()}
}

// automation names what was run, so that one upload does not replace that of another
// environment or stack.
func (s *sarif) automation() string {
	stack := s.Checkout.name(s.Stack)
	if filepath.IsAbs(stack) {
		stack = path.Base(stack)
	}
	parts := slices.DeleteFunc([]string{"panelgate", s.Env, Clean(path.Clean(stack))}, func(p string) bool { return p == "" || p == "." })
	return strings.Join(parts, "/") + "/"
}

func (s *sarif) invocation() sarifInvocation {
	out := sarifInvocation{Successful: s.Verdict != Failed, ExitCode: s.ExitCode}
	if !s.Began.IsZero() {
		out.Start = s.Began.UTC().Format(time.RFC3339)
		out.End = s.Began.Add(took(s.DurationMS)).UTC().Format(time.RFC3339)
	}
	if s.Error != "" {
		out.Notifications = append(out.Notifications, sarifNotification{Level: "error", Message: sarifMessage{Text: sarifText(s.Error)}})
	}
	for _, n := range s.Notes {
		out.Notifications = append(out.Notifications, sarifNotification{Level: "note", Message: sarifMessage{Text: sarifText(n)}})
	}
	return out
}

// sarifText is text without the one markup that plain messages have: a link, which text
// of a file must not set.
func sarifText(s string) string {
	s = Clean(s)
	if !strings.Contains(s, "](") {
		return s
	}
	return strings.NewReplacer(`\`, `\\`, "[", `\[`, "]", `\]`).Replace(s)
}

// sarifLog and what follows are the objects of the format that are written.
type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool        sarifTool            `json:"tool"`
	Invocations []sarifInvocation    `json:"invocations"`
	Automation  sarifAutomation      `json:"automationDetails"`
	Bases       map[string]sarifBase `json:"originalUriBaseIds"`
	ColumnKind  string               `json:"columnKind"`
	Results     []sarifResult        `json:"results"`
}

type sarifTool struct {
	Driver sarifDriver `json:"driver"`
}

type sarifDriver struct {
	Name        string      `json:"name"`
	Version     string      `json:"version,omitempty"`
	Information string      `json:"informationUri"`
	Rules       []sarifRule `json:"rules"`
}

type sarifRule struct {
	ID         string               `json:"id"`
	Short      sarifMessage         `json:"shortDescription"`
	Full       sarifMessage         `json:"fullDescription"`
	Help       *sarifMessage        `json:"help,omitempty"`
	HelpURI    string               `json:"helpUri,omitempty"`
	Default    sarifConfiguration   `json:"defaultConfiguration"`
	Properties *sarifRuleProperties `json:"properties,omitempty"`
}

type sarifConfiguration struct {
	Enabled bool   `json:"enabled"`
	Level   string `json:"level"`
}

type sarifRuleProperties struct {
	Tags []string `json:"tags"`
}

type sarifMessage struct {
	Text     string `json:"text"`
	Markdown string `json:"markdown,omitempty"`
}

type sarifResult struct {
	RuleID       string             `json:"ruleId"`
	RuleIndex    int                `json:"ruleIndex"`
	Level        string             `json:"level"`
	Message      sarifMessage       `json:"message"`
	Locations    []sarifLocation    `json:"locations"`
	Fingerprints map[string]string  `json:"partialFingerprints"`
	Suppressions []sarifSuppression `json:"suppressions,omitempty"`
	Properties   *sarifProperties   `json:"properties,omitempty"`
}

type sarifProperties struct {
	Reason  string `json:"reason,omitempty"`
	Expr    string `json:"expr,omitempty"`
	ExprRun string `json:"exprRun,omitempty"`
}

type sarifLocation struct {
	Physical sarifPhysical  `json:"physicalLocation"`
	Logical  []sarifLogical `json:"logicalLocations,omitempty"`
}

type sarifPhysical struct {
	Artifact sarifArtifact `json:"artifactLocation"`
	Region   *sarifRegion  `json:"region,omitempty"`
}

type sarifArtifact struct {
	URI  string `json:"uri"`
	Base string `json:"uriBaseId,omitempty"`
}

type sarifRegion struct {
	StartLine   int `json:"startLine"`
	StartColumn int `json:"startColumn,omitempty"`
}

type sarifLogical struct {
	Name     string `json:"name"`
	FullName string `json:"fullyQualifiedName"`
	Kind     string `json:"kind"`
}

type sarifSuppression struct {
	Kind          string         `json:"kind"`
	Status        string         `json:"status"`
	Justification string         `json:"justification"`
	Location      *sarifLocation `json:"location,omitempty"`
}

type sarifInvocation struct {
	Successful    bool                `json:"executionSuccessful"`
	ExitCode      int                 `json:"exitCode"`
	Start         string              `json:"startTimeUtc,omitempty"`
	End           string              `json:"endTimeUtc,omitempty"`
	Notifications []sarifNotification `json:"toolExecutionNotifications,omitempty"`
}

type sarifNotification struct {
	Level   string       `json:"level"`
	Message sarifMessage `json:"message"`
}

type sarifAutomation struct {
	ID string `json:"id"`
}

type sarifBase struct {
	Description sarifMessage `json:"description"`
}
