package fix

import (
	"errors"
	"fmt"
	"slices"

	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/stack/source"
)

// Rules are the ids of the rules whose findings can be mended safely.
func Rules() []string {
	return []string{
		"datasource/uid-unknown", "datasource/uid-implicit", "datasource/input-unresolved", "datasource/unknown-key",
		"datasource/time-interval", "dashboard/api-wrapper", "dashboard/id-set", "panel/id-duplicate",
	}
}

// Fix mends one finding, or several that only one change mends.
type Fix struct {
	Rule     string
	Pos      source.Pos // of the first finding
	What     []string   // what is done
	Findings []rule.Finding
	Edits    []Edit
}

// Left is a finding that could not be mended, and why.
type Left struct {
	rule.Finding
	Why string
}

// errUncertain is why a finding without a repair is left.
var errUncertain = errors.New("what is meant is not certain")

// Plan works out how to mend findings: in the order of Rules, each as edits of the
// files' texts, which text gives. Fixes may meet; what cannot be mended is left.
func Plan(in *rule.Static, findings []rule.Finding, text func(file string) ([]byte, error)) (fixes []Fix, left []Left) {
	for _, id := range Rules() {
		for _, group := range grouped(id, findings) {
			f, err := planned(in, group, text)
			if err == nil {
				fixes = append(fixes, f)
				continue
			}
			for _, found := range group {
				left = append(left, Left{Finding: found, Why: err.Error()})
			}
		}
	}
	return fixes, left
}

// grouped are the findings of a rule by what one fix mends: the inputs of one
// dashboard, which share a list, and every other finding by itself.
func grouped(id string, findings []rule.Finding) [][]rule.Finding {
	var out [][]rule.Finding
	inputs := map[string]int{}
	for _, f := range findings {
		if f.Rule != id {
			continue
		}
		if i, ok := inputs[f.Pos.File]; ok && f.Repair != nil {
			out[i] = append(out[i], f)
			continue
		}
		if id == "datasource/input-unresolved" && f.Repair != nil {
			inputs[f.Pos.File] = len(out)
		}
		out = append(out, []rule.Finding{f})
	}
	return out
}

// planned is the fix for a group of findings.
func planned(in *rule.Static, group []rule.Finding, text func(string) ([]byte, error)) (Fix, error) {
	out := Fix{Rule: group[0].Rule, Pos: group[0].Pos, Findings: group}
	file := group[0].Pos.File
	var remove []source.Pos
	var data []byte
	for _, f := range group {
		if f.Repair == nil {
			return out, errUncertain
		}
		if data == nil {
			var err error
			if data, err = text(file); err != nil {
				return out, err
			}
		}
		edits, err := repairEdits(file, data, f.Repair)
		if err != nil {
			return out, err
		}
		out.What, out.Edits = append(out.What, f.Repair.What), append(out.Edits, edits...)
		remove = append(remove, f.Repair.Remove...)
	}
	if len(remove) > 0 {
		edits, err := removeInputs(in, jsonFile{file, data}, remove)
		if err != nil {
			return out, err
		}
		out.Edits = append(out.Edits, edits...)
	}
	var err error
	out.Edits, err = tidied(out.Edits)
	return out, err
}

// repairEdits are those of one repair, without the entries that it removes.
func repairEdits(file string, data []byte, r *rule.Repair) ([]Edit, error) {
	if r.Set != nil {
		return yamlFile{file, data}.set(r.Set)
	}
	j := jsonFile{file, data}
	var out []Edit
	if !r.Unwrap.IsZero() {
		e, err := j.unwrap(r.Unwrap)
		return []Edit{e}, err
	}
	for _, part := range r.Replace {
		if part.From.File != file {
			return nil, fmt.Errorf("%s is in another file", part.From)
		}
		e, err := j.replace(part)
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

func removeInputs(in *rule.Static, j jsonFile, gone []source.Pos) ([]Edit, error) {
	i := slices.IndexFunc(in.Boards, func(b *rule.Board) bool { return b.File == j.name })
	if i < 0 {
		return nil, fmt.Errorf("%s is no dashboard", j.name)
	}
	return j.removeEntries(in.Boards[i].Root, "__inputs", gone)
}
