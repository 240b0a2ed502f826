// Package page is the report as one HTML file that needs nothing but a browser: every
// dashboard as Grafana lays it out, drawn from what its queries returned, with what is
// wrong said where it is wrong.
package page

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/panelgate/panelgate/ci/report"
)

// Options say how a page is used.
type Options struct {
	// Live makes the page listen at "events", beside where it came from, and load
	// itself anew when something comes.
	Live bool
}

//go:embed page.html assets
var files embed.FS

// scripts are the page's own and the library that it draws with, each in the scope
// that those before it leave.
func scripts() []string {
	return []string{"units.js", "uPlot.iife.min.js", "color.js", "chart.js", "marks.js", "panel.js", "page.js"}
}

func sheets() []string { return []string{"uPlot.min.css", "page.css"} }

// Write writes the page of a document.
func Write(w io.Writer, d *report.Document, opts Options) error {
	if err := write(w, d, opts); err != nil {
		return fmt.Errorf("write the HTML report: %w", err)
	}
	return nil
}

func write(w io.Writer, d *report.Document, opts Options) error {
	t, err := template.ParseFS(files, "page.html")
	if err != nil {
		return err
	}
	script, err := joined(scripts(), ";\n")
	if err != nil {
		return err
	}
	style, err := joined(sheets(), "\n")
	if err != nil {
		return err
	}
	data, err := inScript(contentOf(d, opts))
	if err != nil {
		return err
	}
	return t.Execute(w, struct {
		Policy, Title string
		Script, Data  template.JS
		Style         template.CSS
	}{
		policy(script, style, opts), title(d),
		template.JS(script), template.JS(data), template.CSS(style), //nolint:gosec // the first and the last are the page's own, and inScript leaves nothing in data that ends it
	})
}

// title is what a browser's tab says.
func title(d *report.Document) string {
	words := map[report.Verdict]string{report.Pass: "pass", report.Fail: "FAIL", report.Failed: "could not run"}
	return words[d.Verdict] + " · " + d.Stack + " · panelgate"
}

// joined is files of the page's, one after the other.
func joined(names []string, between string) (string, error) {
	var out strings.Builder
	for _, name := range names {
		data, err := files.ReadFile("assets/" + name)
		if err != nil {
			return "", err
		}
		out.Write(bytes.TrimSpace(data))
		out.WriteString(between)
	}
	return out.String(), nil
}

// policy forbids the page everything but its own script and style, which it names by
// what they are: nothing in the data can run, load or send anything.
func policy(script, style string, opts Options) string {
	out := fmt.Sprintf("default-src 'none'; script-src '%s'; style-src '%s'; base-uri 'none'; form-action 'none'", hash(script), hash(style))
	if opts.Live {
		out += "; connect-src 'self'"
	}
	return out
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// inScript is JSON that no text in it can end a script element with: encoding/json
// writes <, > and &, and the line ends that only Unicode knows, as \u escapes.
func inScript(v any) (string, error) {
	data, err := json.Marshal(v)
	return string(data), err
}
