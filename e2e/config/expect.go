package config

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/panelgate/panelgate/e2e/nearest"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/stack/source"
)

func (c *Config) expectation(n *source.Node) error {
	if err := keys(n, "dashboard", "panel", "ref_id", "is", "why", "until"); err != nil {
		return err
	}
	e := rule.Expectation{
		Dashboard: n.Get("dashboard").Text(), Panel: n.Get("panel").Text(), RefID: n.Get("ref_id").Text(),
		Is: rule.Expects(n.Get("is").Str()), Why: strings.TrimSpace(n.Get("why").Str()), Pos: n.Pos(),
	}
	if e.Dashboard.Value == "" || e.Panel.Value == "" {
		return at(n, "an expectation names a dashboard (uid or title) and a panel (title)")
	}
	if is := n.Get("is"); is.Kind() == source.Object {
		if err := bounds(is, &e); err != nil {
			return err
		}
	}
	if !slices.Contains([]rule.Expects{rule.ExpectsData, rule.ExpectsEmpty, rule.ExpectsBetween}, e.Is) || n.Get("is").Str() == string(rule.ExpectsBetween) {
		where := n
		if n.Get("is").Exists() {
			where = n.Get("is")
		}
		return at(where, "an expectation is data, empty or {between: [LOW, HIGH]}")
	}
	if e.Is == rule.ExpectsEmpty && e.Why == "" {
		return at(n, "a panel expected to be empty needs a why")
	}
	var err error
	if e.Until, err = until(n.Get("until")); err != nil {
		return err
	}
	e.UntilPos = n.Get("until").Pos()
	if err := c.twice(&e); err != nil {
		return err
	}
	c.Expect = append(c.Expect, e)
	return nil
}

// bounds reads {between: [LOW, HIGH]}.
func bounds(is *source.Node, e *rule.Expectation) error {
	if err := keys(is, "between"); err != nil {
		return err
	}
	between := is.Get("between")
	if len(between.Items()) != 2 {
		where := is
		if between.Exists() {
			where = between
		}
		return at(where, "between is a list of the lowest and the highest value, as [0, 1]")
	}
	for i, bound := range []*float64{&e.Low, &e.High} {
		v, err := number(between.Items()[i])
		if err != nil {
			return err
		}
		*bound = v
	}
	if e.Low > e.High {
		return at(between, "the lowest value (%g) is above the highest (%g)", e.Low, e.High)
	}
	e.Is = rule.ExpectsBetween
	return nil
}

// number reads a bound; .inf leaves a side open.
func number(n *source.Node) (float64, error) {
	switch strings.ToLower(n.Scalar()) {
	case ".inf", "+.inf":
		return math.Inf(1), nil
	case "-.inf":
		return math.Inf(-1), nil
	}
	v, ok := n.Float()
	if !ok || math.IsNaN(v) {
		return 0, at(n, "a bound is a number, or .inf to leave a side open")
	}
	return v, nil
}

// until reads the last day on which an entry holds.
func until(n *source.Node) (time.Time, error) {
	if !n.Exists() {
		return time.Time{}, nil
	}
	day, err := time.Parse(time.DateOnly, n.Scalar())
	if err != nil {
		return time.Time{}, at(n, "until is a date such as 2027-06-01")
	}
	return day.AddDate(0, 0, 1), nil // the day itself still counts
}

// twice refuses a second expectation of a kind about one panel or query, and what
// contradicts another.
func (c *Config) twice(e *rule.Expectation) error {
	for _, o := range c.Expect {
		if o.Dashboard.Value != e.Dashboard.Value || o.Panel.Value != e.Panel.Value || o.RefID.Value != e.RefID.Value {
			continue
		}
		bounded := o.Is == rule.ExpectsBetween || e.Is == rule.ExpectsBetween
		switch {
		case o.Is == e.Is:
			return &source.Problem{Pos: e.Pos, Message: fmt.Sprintf("panel %q is expected to be %s twice: first at %s", e.Panel.Value, e.Is, o.Pos)}
		case !bounded:
			return &source.Problem{Pos: e.Pos, Message: fmt.Sprintf("panel %q is expected to be %s here and %s at %s", e.Panel.Value, e.Is, o.Is, o.Pos)}
		}
	}
	return nil
}

func (c *Config) exclusion(n *source.Node) error {
	if err := keys(n, "rule", "dashboard", "panel", "ref_id", "file", "why", "until"); err != nil {
		return err
	}
	id := n.Get("rule")
	e := rule.Exclusion{
		Rules: []string{id.Str()}, Dashboard: n.Get("dashboard").Text(), Panel: n.Get("panel").Text(), RefID: n.Get("ref_id").Text(),
		File: n.Get("file").Text(), Why: strings.TrimSpace(n.Get("why").Str()), Pos: n.Pos(),
	}
	switch {
	case id.Str() == "":
		return at(n, "an exclusion names a rule")
	case !slices.Contains(ruleIDs(), id.Str()):
		return at(id, "%s", unknownRule(id.Str()))
	case id.Str() == "gate/exclusion-unused":
		return at(id, "an exclusion that is not needed is to be removed, not excluded")
	case e.Dashboard.Value == "" && e.File.Value == "":
		return at(n, "an exclusion names a dashboard (uid or title) or a file; to be rid of a rule altogether, switch it off under rules")
	case e.Dashboard.Value == "" && (e.Panel.Value != "" || e.RefID.Value != ""):
		return at(n, "an exclusion that names a panel or a query names its dashboard (uid or title)")
	case e.Panel.Value == "" && e.RefID.Value != "":
		return at(n, "an exclusion that names a query names its panel (title)")
	case e.Why == "":
		return at(n, "an exclusion needs a why")
	}
	var err error
	if e.Until, err = until(n.Get("until")); err != nil {
		return err
	}
	c.Exclude = append(c.Exclude, e)
	return nil
}

func ruleIDs() []string {
	var ids []string
	for _, r := range rule.All() {
		ids = append(ids, r.ID)
	}
	return ids
}

func unknownRule(id string) string {
	return fmt.Sprintf("unknown rule %q%s", id, nearest.Hint(id, ruleIDs()))
}
