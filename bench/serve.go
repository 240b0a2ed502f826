package main

import (
	"context"
	"fmt"
	"io"

	"github.com/panelgate/panelgate/e2e"
	"github.com/panelgate/panelgate/e2e/env/embedded"
)

// serve runs the Prometheus that the sweep asks: the code that panelgate runs, with the same prometheus.yml, fakes and past, and nobody
// else's questions to answer. It prints where it is when all is laid down, and ends with its standard input.
func serve(ctx context.Context, dir string, in io.Reader, out io.Writer) (err error) {
	loaded, err := e2e.Load(ctx, e2e.Source{Dir: dir})
	if err != nil {
		return err //nolint:wrapcheck // says what it was doing
	}
	scenario, err := e2e.LoadScenario(loaded.Options.Config.Scenario)
	if err != nil {
		return err //nolint:wrapcheck // likewise
	}
	var mappings []embedded.Mapping
	for _, t := range loaded.Options.Config.Targets {
		mappings = append(mappings, embedded.Mapping{Match: t.Match, Fake: t.Fake, Live: t.Live, Setup: t.Setup})
	}
	running, err := embedded.Start(ctx, loaded.Stack.Prometheus, embedded.Options{
		Scenario: scenario, Targets: mappings, History: e2e.NeededHistory(loaded.Stack, loaded.Options),
	})
	if err != nil {
		return err //nolint:wrapcheck // likewise
	}
	defer func() {
		if closeErr := running.Close(); err == nil {
			err = closeErr
		}
	}()
	if _, err := fmt.Fprintln(out, running.Instance().PrometheusURL); err != nil {
		return fmt.Errorf("tell where Prometheus is: %w", err)
	}
	if _, err := io.Copy(io.Discard, in); err != nil {
		return fmt.Errorf("wait for the end: %w", err)
	}
	return nil
}
