package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/spf13/cobra"

	"github.com/panelgate/panelgate/ci/report"
	"github.com/panelgate/panelgate/e2e"
	"github.com/panelgate/panelgate/e2e/env/attach"
	"github.com/panelgate/panelgate/e2e/env/dagger"
	"github.com/panelgate/panelgate/e2e/env/docker"
	"github.com/panelgate/panelgate/e2e/env/embedded"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/dashboard"
	"github.com/panelgate/panelgate/stack/source"
)

const whyLong = `why asks one expression of the stack's Prometheus, as a panel would, and says what
of it has no data and why: the smallest part that is empty, the reason, what
there is instead, and how to mend it. Where there is data, it shows what.

Grafana's macros ($__rate_interval, $__interval, $__range) are filled as in a
panel of the stack's default datasource. The rules about expressions say what
they find in it as well.`

const whyExample = `  go run ./ci why 'rate(nv_inference_count{model="resnet"}[$__rate_interval])'
  go run ./ci why --range 6h 'node_load1 > 10'
  go run ./ci why --instant 'sum(up)'
  go run ./ci why --env attach --prometheus http://localhost:9090 'up{job="dcgm"}'`

// whyFlags are those of asking one expression by hand.
type whyFlags struct {
	checkFlags
	window  string
	instant bool
	unit    string
	title   string
}

func whyCommand(stdout, stderr io.Writer) *cobra.Command {
	var w whyFlags
	cmd := &cobra.Command{
		Use:         "why EXPR",
		Short:       "Ask one expression, and say why it has no data",
		Long:        whyLong,
		Example:     whyExample,
		Args:        cobra.ExactArgs(1),
		Annotations: map[string]string{runsIn: strings.Join([]string{embedded.Name, docker.Name, attach.Name}, " ")},
		RunE: func(cmd *cobra.Command, args []string) error {
			return w.ask(cmd, args[0], stdout, stderr)
		},
	}
	f := cmd.Flags()
	f.StringVar(&w.window, "range", "1h", "the `duration` before now that is asked about, as 30m or 6h")
	f.BoolVar(&w.instant, "instant", false, "ask for the present value alone, as a table or a stat can")
	f.StringVar(&w.title, "title", "", "what a panel that shows it would be called, as `TITLE`: what it claims is then held against the truth")
	f.StringVar(&w.unit, "unit", "", "the panel's `unit`, Grafana's id of it, as µs or percentunit")
	w.addChoiceTo(cmd)
	w.addFailOnTo(cmd)
	w.addFormat(cmd, format{name: "json", help: "JSON"})
	w.addTextTo(cmd)
	w.addRunTo(cmd)
	return cmd
}

// ask runs the stack with the expression as its only panel.
func (w *whyFlags) ask(cmd *cobra.Command, expr string, stdout, stderr io.Writer) error {
	if _, err := model.ParseDuration(w.window); err != nil {
		return usage(fmt.Errorf("--range %q: %w", w.window, err))
	}
	if w.env.name == dagger.Name {
		return usage(errors.New("why asks in the environments embedded, docker and attach: leave --env dagger out"))
	}
	return w.told(stdout, expr, func() (*e2e.Report, error) {
		ctx, cancel, p, err := w.begin(cmd, stderr)
		defer cancel()
		if err != nil {
			return nil, err
		}
		board, err := w.board(p.stack, expr)
		if err != nil {
			return nil, usage(err)
		}
		p.stack.Dashboards, p.opts.Choose = []*stack.Board{board}, nil
		p.opts.Config.Expect = nil // they are about the stack's own panels
		result, err := w.verify(ctx, p)
		p.progress.Clear()
		return result, ended(ctx, err, p.progress.Stage())
	})
}

// askedFile is what a finding about the expression names for its file.
const askedFile = "the expression"

// board is a dashboard whose only panel asks the expression.
func (w *whyFlags) board(s *stack.Stack, expr string) (*stack.Board, error) {
	type target struct {
		RefID   string `json:"refId"`
		Expr    string `json:"expr"`
		Instant bool   `json:"instant"`
		Range   bool   `json:"range"`
	}
	type panel struct {
		ID          int    `json:"id"`
		Type        string `json:"type"`
		Title       string `json:"title"`
		FieldConfig struct {
			Defaults struct {
				Unit string `json:"unit"`
			} `json:"defaults"`
		} `json:"fieldConfig"`
		Targets []target `json:"targets"`
	}
	asked := panel{ID: 1, Type: "timeseries", Title: w.title, Targets: []target{{RefID: "A", Expr: expr, Instant: w.instant, Range: !w.instant}}}
	asked.FieldConfig.Defaults.Unit = w.unit
	text, err := json.Marshal(struct {
		UID           string            `json:"uid"`
		Title         string            `json:"title"`
		SchemaVersion int               `json:"schemaVersion"`
		Time          map[string]string `json:"time"`
		Panels        []panel           `json:"panels"`
	}{
		UID: "asked-by-hand", Title: "Asked by hand", SchemaVersion: 42, Time: map[string]string{"from": "now-" + w.window, "to": "now"},
		Panels: []panel{asked},
	})
	if err != nil {
		return nil, fmt.Errorf("put the expression into a panel: %w", err)
	}
	d, err := dashboard.Parse(askedFile, text, source.DefaultLimits())
	if err != nil {
		return nil, fmt.Errorf("put the expression into a panel: %w", err)
	}
	b := &stack.Board{Dashboard: d}
	if len(s.Providers) > 0 {
		b.Provider = s.Providers[0]
	}
	return b, nil
}

// told says what came of the expression. Other findings about the stack than those
// that concern it are left to check.
func (w *whyFlags) told(stdout io.Writer, expr string, prove func() (*e2e.Report, error)) (err error) {
	began := time.Now()
	if w.tell, err = w.newTeller(stdout, io.Discard); err != nil {
		return err
	}
	w.tell.emit(report.Start(version(), w.stackDir, w.env.name, began))
	proved, err := prove()
	if proved != nil {
		proved.Findings = ofExpression(proved.Findings)
	}
	result := w.result(w.env.name, began, proved, rule.Error, err)
	if err == nil && w.tell.instead == "" {
		if err := shownData(stdout, proved, expr); err != nil {
			return notRun(err)
		}
	}
	return w.tellOut(result, err)
}

// ofExpression are the findings about the asked expression, at no place of any file.
func ofExpression(found []rule.Finding) []rule.Finding {
	var out []rule.Finding
	for _, f := range found {
		if f.Pos.File != askedFile && f.Dashboard != "asked-by-hand" || strings.HasPrefix(f.Rule, "dashboard/") {
			continue
		}
		f.Pos = source.Pos{}
		out = append(out, f)
	}
	return out
}

// mostLines are shown of what an expression has.
const mostLines = 20

// shownData shows the series of an answer with their last values.
func shownData(w io.Writer, r *e2e.Report, expr string) error {
	for _, q := range r.Queries {
		if q.Finite == 0 {
			continue
		}
		run := ""
		if q.Request.Expr != expr {
			run = "run as " + report.Clean(q.Request.Expr) + "\n"
		}
		if _, err := fmt.Fprintf(w, "%s%d series, %d samples\n", run, q.Series, q.Samples); err != nil {
			return err
		}
		for i, line := range lastValues(q.Answer) {
			if i == mostLines {
				line = fmt.Sprintf("… and %d more", q.Series-mostLines)
			}
			if _, err := fmt.Fprintln(w, "  "+report.Clean(line)); err != nil {
				return err
			}
			if i == mostLines {
				break
			}
		}
		if _, err := fmt.Fprintln(w); err != nil {
			return err
		}
	}
	return nil
}

// lastValues are the series of an answer, each with its last value.
func lastValues(v model.Value) []string {
	var out []string
	add := func(m model.Metric, value float64) {
		if !math.IsNaN(value) {
			out = append(out, fmt.Sprintf("%s  %g", m, value))
		}
	}
	switch v := v.(type) {
	case model.Matrix:
		for _, s := range v {
			if n := len(s.Values); n > 0 {
				add(s.Metric, float64(s.Values[n-1].Value))
			}
		}
	case model.Vector:
		for _, s := range v {
			add(s.Metric, float64(s.Value))
		}
	case *model.Scalar:
		add(nil, float64(v.Value))
	}
	return out
}
