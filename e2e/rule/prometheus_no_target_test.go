package rule

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e/env"
)

func TestPrometheusNoTarget(t *testing.T) {
	const (
		job    = "  - job_name: triton\n"
		target = "      - targets:\n          - host.docker.internal:8002\n"
	)
	relabel := func(rules string) func(*fixture) {
		return func(f *fixture) { f.replace(prometheusFile, job, job+"    relabel_configs:\n"+rules) }
	}
	runFileCases(t, prometheusNoTarget(), []fileCase{
		{
			name: "an empty list",
			edit: func(f *fixture) { f.replace(prometheusFile, target, "      - targets: []\n") },
			file: prometheusFile, at: "[]\n", message: []string{`job "triton" has no target`}, fix: "static_configs",
		},
		{
			name: "no discovery at all",
			edit: func(f *fixture) { f.replace(prometheusFile, "    static_configs:\n"+target, "") },
			file: prometheusFile, at: "job_name: triton", message: []string{`job "triton" has no target`},
		},
		{
			name: "relabelling keeps none",
			edit: relabel("      - {target_label: site, replacement: lab}\n" +
				"      - {source_labels: [__address__], regex: 'gpu-.*', action: keep}\n"),
			file: prometheusFile, at: "{source_labels: [__address__], regex: 'gpu-.*'",
			message:  []string{`every target of job "triton"`, "host.docker.internal:8002"},
			evidence: "rule 2 of relabel_configs",
		},
		{
			name: "two rules drop them together",
			edit: func(f *fixture) {
				relabel("      - {source_labels: [__address__], regex: 'a:.*', action: drop}\n" +
					"      - {source_labels: [__address__], regex: 'b:.*', action: drop}\n")(f)
				f.replace(prometheusFile, target, "      - targets: ['a:8002', 'b:8002']\n")
			},
			file: prometheusFile, at: "{source_labels: [__address__], regex: 'b:.*'", message: []string{"a:8002, b:8002"},
		},
		{
			name: "relabelling takes the address away",
			edit: relabel("      - {regex: __address__, action: labeldrop}\n"),
			file: prometheusFile, at: "{regex: __address__", message: []string{"relabelling drops every target"}, evidence: "no address",
		},
		{
			name: "relabelling keeps one of two",
			edit: func(f *fixture) {
				relabel("      - {source_labels: [__address__], regex: 'a:.*', action: keep}\n")(f)
				f.replace(prometheusFile, target, "      - targets: ['a:8002', 'b:8002']\n")
			},
		},
		{
			name: "another discovery may find some",
			edit: func(f *fixture) {
				f.replace(prometheusFile, "    static_configs:\n"+target, "    file_sd_configs: [{files: ['targets/*.json']}]\n")
			},
		},
		{
			name: "no job",
			edit: func(f *fixture) { f.write(prometheusFile, "global:\n  scrape_interval: 15s\n") },
			file: prometheusFile, at: "global:", message: []string{"scrapes nothing"},
		},
		{
			name: "no job, but others write to it",
			edit: func(f *fixture) {
				f.write(prometheusFile, "global:\n  scrape_interval: 15s\n").
					replace(composeFile, "      - --storage.tsdb.path=/prometheus\n", "      - --storage.tsdb.path=/prometheus\n      - --web.enable-remote-write-receiver\n")
			},
		},
		{name: "no prometheus.yml", edit: func(f *fixture) { f.remove(prometheusFile) }},
		{name: "a broken prometheus.yml", edit: func(f *fixture) { f.write(prometheusFile, "scrape_configs: 7\n") }},
	})
}

func TestPrometheusNoTargetFound(t *testing.T) {
	const static = "    static_configs:\n      - targets:\n          - host.docker.internal:8002\n"
	discovery := func(yaml string) func(*fixture) {
		return func(f *fixture) { f.replace(prometheusFile, static, "    "+yaml+"\n") }
	}
	for _, c := range []struct {
		name string
		edit func(*fixture)
		want *expected
	}{
		{name: "no such file", edit: discovery("file_sd_configs: [{files: ['targets/*.json']}]"),
			want: &expected{at: "'targets/*.json'", says: "no such file", fix: "targets/*.json"}},
		{name: "a file with nothing in it", edit: func(f *fixture) {
			discovery("file_sd_configs: [{files: ['targets/*.json']}]")(f)
			f.write("prometheus/targets/a.json", "[]")
		}, want: &expected{at: "'targets/*.json'", says: "name no target"}},
		{name: "relabelling drops what the file has", edit: func(f *fixture) {
			discovery("file_sd_configs: [{files: ['targets/*.json']}]\n    relabel_configs: [{action: drop}]")(f)
			f.write("prometheus/targets/a.json", `[{"targets": ["gpu:8002"]}]`)
		}, want: &expected{at: "job_name: triton", says: "gpu:8002"}},
		{name: "names", edit: discovery("dns_sd_configs: [{names: [gpu.lan], type: A, port: 8002}]"),
			want: &expected{at: "job_name: triton", says: "dns", fix: "static_configs", severity: Warning}},
		{name: "a server elsewhere", edit: discovery("http_sd_configs: [{url: 'http://cmdb.lan/sd'}]"),
			want: &expected{at: "job_name: triton", says: "http", severity: Warning}},
		{name: "a server here", edit: discovery("http_sd_configs: [{url: 'http://127.0.0.1:9/sd'}]"),
			want: &expected{at: "job_name: triton", says: "http"}},
		{name: "what the files tell is said there", edit: discovery("static_configs: [{targets: []}]")},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := shipped(t)
			c.edit(f)
			in := f.live()
			in.Instance.Targets = []env.Target{{Job: "dcgm"}, {Job: "node"}}
			var want []expected
			if c.want != nil {
				c.want.file = prometheusFile
				want = append(want, *c.want)
			}
			found := prometheusNoTarget().Live(in)
			f.expect(found, want)
			for _, x := range found {
				assert.Contains(t, x.Message, `job "triton"`)
				assert.NotContains(t, x.Message, f.dir)
			}
		})
	}
}

func TestPrometheusNoTargetKnowsItsTargets(t *testing.T) {
	f := shipped(t)
	in := f.live()
	for _, j := range in.Stack.Prometheus.Jobs { // relabelling has renamed every job
		in.Instance.Targets = append(in.Instance.Targets, env.Target{Job: "renamed", Pos: j.Targets[0].Address.Pos})
	}
	assert.Empty(t, prometheusNoTarget().Live(in))
	in.Instance.Targets = in.Instance.Targets[1:]
	require.Len(t, prometheusNoTarget().Live(in), 1)
	in.Instance = env.Instance{} // nothing was run
	assert.Empty(t, prometheusNoTarget().Live(in))
}
