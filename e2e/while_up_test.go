package e2e

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e/config"
	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/stack"
)

func TestAStackIsUpAndJudgedWhileItIsLookedAt(t *testing.T) {
	url := ""
	ask := func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/api/v1/query?query=up", http.NoBody)
		if err != nil {
			return err
		}
		resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
		if err != nil {
			return err
		}
		return resp.Body.Close()
	}
	r := verify(t, shippedDir, Options{WhileUp: func(ctx context.Context, instance env.Instance, report *Report) error {
		url = instance.PrometheusURL
		assert.NotEmpty(t, report.Findings, "the stack is judged")
		report.Notes = append(report.Notes, "it was seen")
		return ask(ctx)
	}})
	assert.Contains(t, r.Notes, "it was seen")
	require.Error(t, ask(t.Context()), "the stack is down again")

	s, err := stack.Load(t.Context(), shippedDir)
	require.NoError(t, err)
	blind := errors.New("nothing was seen")
	_, err = Verify(t.Context(), s, Options{Config: &config.Config{}, WhileUp: func(context.Context, env.Instance, *Report) error { return blind }})
	require.ErrorIs(t, err, blind)
}
