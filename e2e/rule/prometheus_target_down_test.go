package rule

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/stack/source"
)

func TestPrometheusTargetDown(t *testing.T) {
	pos := source.Pos{File: prometheusFile, Line: 27, Column: 13}
	for name, c := range map[string]struct {
		target   env.Target
		message  string
		evidence string
		fix      string
	}{
		"a job's exporter on a port near its own": {
			target:  env.Target{Job: "triton", Address: "gpu:8003", Cause: env.CauseUnanswered, Error: "nobody answers at gpu:8003"},
			message: "nobody answers", evidence: "Triton listens on port 8002 by default, the target names 8003",
			fix: "set the target's port to 8002, or say in panelgate.yml that this is Triton: targets: [{match: {job: triton}, fake: triton}]",
		},
		"a job that is none of the exporters": {
			target:  env.Target{Job: "my app", Address: "app:8080", Cause: env.CauseUnanswered},
			message: "target app:8080 of job \"my app\" is down", evidence: "8002 (Triton), 9400 (dcgm-exporter), 9100 (node_exporter)",
			fix: `targets: [{match: {job: "my app"}, fake: `,
		},
		"refused": {
			target:  env.Target{Job: "a", Address: "a:1", Cause: env.CauseRefused, Error: "dial tcp: connect: connection refused"},
			message: "refused", evidence: "connect: connection refused", fix: "start the exporter",
		},
		"timeout": {
			target:  env.Target{Job: "a", Address: "a:1", Cause: env.CauseTimeout, Error: "context deadline exceeded"},
			message: "scrape_timeout", evidence: "deadline", fix: "scrape_timeout",
		},
		"not found": {
			target:  env.Target{Job: "a", Address: "a:1", URL: "http://a:1/metric", Cause: env.CauseNotFound, Error: "server returned HTTP status 404 Not Found"},
			message: "404", evidence: "http://a:1/metric", fix: "metrics_path",
		},
		"status": {
			target:  env.Target{Job: "a", Address: "a:1", Cause: env.CauseStatus, Error: "server returned HTTP status 500"},
			message: "answers with an error", evidence: "500", fix: "ask the url",
		},
		"parse error": {
			target:  env.Target{Job: "a", Address: "a:1", Cause: env.CauseParse, Error: `line 3: expected value after metric, got "x"`},
			message: "cannot be parsed", evidence: "line 3", fix: "mend the line",
		},
		"limit": {
			target:  env.Target{Job: "a", Address: "a:1", Cause: env.CauseOther, Error: "sample limit exceeded"},
			message: "the exporter prints more than sample_limit allows", evidence: "sample limit exceeded", fix: "raise sample_limit of the job or of global",
		},
		"other": {
			target:  env.Target{Job: "a", Address: "a:1", Cause: env.CauseOther, Error: "no route to host"},
			message: "the scrape fails", evidence: "no route to host", fix: "mend what Prometheus reports",
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.target.Pos = pos
			up := env.Target{Job: "node", Address: "gpu:9100", Up: true}
			in := &Live{Static: shipped(t).static(), Instance: env.Instance{Targets: []env.Target{up, c.target}}}
			found := prometheusTargetDown().Live(in)
			require.Len(t, found, 1)
			assert.Equal(t, pos, found[0].Pos)
			assert.Contains(t, found[0].Message, c.message)
			assert.Contains(t, strings.Join(found[0].Evidence, "\n"), c.evidence)
			assert.Contains(t, found[0].Fix, c.fix)
		})
	}
}

func TestPrometheusTargetDownWithoutPosition(t *testing.T) {
	in := &Live{Static: shipped(t).static(), Instance: env.Instance{Targets: []env.Target{{Job: "a", Address: "a:1"}}}}
	found := prometheusTargetDown().Live(in)
	require.Len(t, found, 1)
	assert.Equal(t, source.Pos{File: prometheusFile}, found[0].Pos)
}

func TestYAMLWord(t *testing.T) {
	for name, want := range map[string]string{"triton": "triton", "gpu-1.a_b": "gpu-1.a_b", "a b": `"a b"`, "a: b": `"a: b"`, "": `""`} {
		assert.Equal(t, want, yamlWord(name))
	}
}
