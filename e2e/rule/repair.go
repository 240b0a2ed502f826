package rule

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/panelgate/panelgate/e2e/nearest"
	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/dashboard"
	"github.com/panelgate/panelgate/stack/source"
)

// Repair is what has to change in the files so that a finding is gone, known for
// certain. It says what is to stand where; package fix puts it there.
type Repair struct {
	What    string        // what is done, for a person
	Replace []Replacement // parts of a JSON file
	Remove  []source.Pos  // entries of a dashboard's __inputs that nothing needs any more
	Unwrap  source.Pos    // the JSON value that alone is to be left of its file
	Set     *Setting      // of a provisioned datasource
}

// Replacement puts other text in the place of a part of a JSON file.
type Replacement struct {
	From source.Pos
	To   source.Pos // behind the part; zero for the whole value that begins at From
	With string     // as it is to stand in the file, its quotes included
}

// Setting is a key of a provisioned datasource that is to have a value.
type Setting struct {
	Datasource *stack.Datasource
	InJSONData bool
	Key, Value string
	// Move takes the value that stands under the same key outside of jsonData.
	Move bool
}

// quoted is a text as a JSON string.
func quoted(text string) string {
	lit, err := jsontext.AppendQuote(nil, text)
	if err != nil { // not UTF-8, which no file of a stack that loads can hold
		return `""`
	}
	return string(lit)
}

// meantDatasource is the datasource that a wrong reference can only mean: the one
// of its type in the board's organisation, else the only one whose uid or name is
// close to what is written. nil where that is not certain.
func meantDatasource(s *stack.Stack, b *Board, key, typ string) *stack.Datasource {
	if strings.ContainsAny(key, "$[") {
		return nil // what is wrong stands elsewhere
	}
	var fitting []*stack.Datasource
	var names [][]string
	for _, ds := range s.Datasources {
		if typ != "" && ds.Type.Value != typ || b.Provider != nil && ds.OrgID != b.Provider.OrgID {
			continue
		}
		fitting = append(fitting, ds)
		names = append(names, []string{ds.EffectiveUID, ds.Name.Value})
	}
	if typ != "" && len(fitting) == 1 {
		return fitting[0]
	}
	if i := nearest.Only(key, names); i >= 0 {
		return fitting[i]
	}
	return nil
}

// nameIn is how a reference of the same form names another datasource: an object
// by uid, and a bare string, which Grafana used to take for nothing else, by name.
func nameIn(r *dashboard.Ref, ds *stack.Datasource) string {
	if r.UID.Value == "" && ds.Name.Value != "" {
		return ds.Name.Value
	}
	return ds.EffectiveUID
}
