package rule

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e/env"
)

const (
	avatar      = `logger=avatar t=2026-11-26T04:11:30.5Z level=error msg="Failed to read user_profile.png" path=/usr/share/grafana/public/img/user_profile.png`
	secondFile  = "grafana/provisioning/datasources/z.yaml"
	secondProv  = "grafana/provisioning/dashboards/z.yaml"
	secondEntry = "apiVersion: 1\ndatasources:\n  - {name: B, type: prometheus, uid: b, orgId: 7, url: 'http://prometheus:9090', access: proxy}\n"
)

// Faults as the two servers have printed them, and the one rule that tells of each.
func TestFaults(t *testing.T) {
	for _, c := range []struct {
		name     string
		edit     func(*fixture)
		role     env.Role
		log      []string
		rule     string
		file, at string
		says     string
		evidence string
		fix      string
	}{
		{name: "an organisation that is not there", role: env.RoleGrafana, edit: func(f *fixture) { f.write(secondFile, secondEntry) },
			log:  []string{avatar, `logger=provisioning level=error msg="Failed to provision data sources" error="Datasource provisioning error: failed to provision \"B\" data source: [org.notFound] failed to get org by ID: 7"`, `grafana: Datasource provisioning error: failed to provision "B" data source: [org.notFound] failed to get org by ID: 7`},
			rule: "datasource/invalid", file: secondFile, at: "{name: B", says: "[org.notFound]", evidence: "exit code 1", fix: "orgId: 1"},
		{name: "a file that may not be read", role: env.RoleGrafana,
			log:  []string{"Error: ✗ Datasource provisioning error: open /etc/grafana/provisioning/datasources/prometheus.yaml: permission denied"},
			rule: "datasource/invalid", file: datasourceFile, says: "permission denied", fix: "472"},
		{name: "broken for this Grafana alone, in the only file", role: env.RoleGrafana,
			log:  []string{"grafana: Datasource provisioning error: yaml: line 3: found unexpected end of stream"},
			rule: "datasource/invalid", file: datasourceFile, at: "datasources:", says: "unexpected end of stream"},
		{name: "two defaults are said by the files", role: env.RoleGrafana,
			edit: func(f *fixture) {
				f.write(secondFile, strings.ReplaceAll(secondEntry, "orgId: 7", "isDefault: true"))
			},
			log: []string{"grafana: Datasource provisioning error: datasource.yaml config is invalid. Only one datasource per organization can be marked as default"}},
		{name: "a provider in an organisation that is not there", role: env.RoleGrafana,
			edit: func(f *fixture) {
				f.write(secondProv, "apiVersion: 1\nproviders:\n  - {name: A, type: file, orgId: 7, options: {path: /etc/grafana/provisioning/dashboards/boards}}\n")
			},
			log:  []string{`grafana: *provisioning.ProvisioningServiceImpl run error: Failed to create provisioner: Failed to read dashboards config: failed to provision dashboards with "A" reader: [org.notFound] failed to get org by ID: 7`},
			rule: "dashboard/provider-invalid", file: secondProv, at: "{name: A", says: `"A" reader`, fix: "orgId: 1"},
		{name: "a provider file that this Grafana alone refuses", role: env.RoleGrafana,
			log:  []string{`grafana: Failed to read dashboards config: could not parse provisioning config file: dashboards.yaml error: yaml: line 4: nope`},
			rule: "dashboard/provider-invalid", file: providerFile, at: "  - name: triton", says: "nope"},
		{name: "a provider's type is said by the files", role: env.RoleGrafana,
			edit: func(f *fixture) { f.replace(providerFile, "type: file", "type: s3") },
			log:  []string{`grafana: Failed to create provisioner: Failed to initialize file readers: type s3 is not supported`}},
		{name: "an alerting file", role: env.RoleGrafana,
			edit: func(f *fixture) { f.write("grafana/provisioning/alerting/z.yaml", "apiVersion: 1\n") },
			log:  []string{avatar, "grafana: failure to map file z.yaml: failure parsing contact points: a: no settings are set"},
			rule: "stack/server-failed", file: "grafana/provisioning/alerting/z.yaml", says: "no settings are set", evidence: "user_profile", fix: "alerting"},
		{name: "an app that is not installed", role: env.RoleGrafana,
			log:  []string{`logger=provisioning level=error msg="Failed to provision plugins" error="app provisioning error: plugin not installed: \"nosuch-app\""`, `logger=server level=info msg=bye`},
			rule: "stack/server-failed", file: composeFile, at: "grafana:", says: "nosuch-app", fix: "GF_PLUGINS_PREINSTALL_SYNC"},
		{name: "silence", role: env.RoleGrafana, rule: "stack/server-failed", file: composeFile, at: "grafana:", says: "ends instead of coming up", evidence: "printed nothing"},
		{name: "a flag", role: env.RolePrometheus,
			log:  []string{"Error parsing command line arguments: unknown long flag '--foo'", "prometheus: error: unknown long flag '--foo'"},
			rule: "stack/server-failed", file: composeFile, at: "prometheus:", says: ": unknown long flag '--foo'", fix: "take the flag out"},
		{name: "a configuration for another release", role: env.RolePrometheus,
			log:  []string{`time=2026-11-26T04:15:20.644Z level=ERROR source=main.go:768 msg="Error loading config (--config.file=/etc/prometheus/prometheus.yml)" file=/etc/prometheus/prometheus.yml err="parsing YAML file /etc/prometheus/prometheus.yml: yaml: unmarshal errors:\n  line 3: field scrape_intervall not found in type config.ScrapeConfig"`},
			rule: "prometheus/config-invalid", file: prometheusFile, says: "field scrape_intervall not found", fix: "another release"},
		{name: "the same of Prometheus 2", role: env.RolePrometheus,
			log:  []string{`ts=2023-01-01T00:00:00Z caller=main.go:601 level=error msg="Error loading config (--config.file=/etc/prometheus/prometheus.yml)" file=/etc/prometheus/prometheus.yml err="open /etc/prometheus/tls.yml: no such file or directory"`},
			rule: "prometheus/config-invalid", file: "prometheus/tls.yml", says: "no such file"},
		{name: "a broken prometheus.yml is said by the files", role: env.RolePrometheus,
			edit: func(f *fixture) {
				f.replace(prometheusFile, "scrape_configs:", "scrape_confiks: []\nscrape_configs:")
			},
			log: []string{`level=ERROR msg="Error loading config" err="parsing YAML file /etc/prometheus/prometheus.yml: line 3"`}},
		{name: "a mount that is missing is said by the files", role: env.RoleGrafana,
			edit: func(f *fixture) { f.replace(composeFile, "./grafana/provisioning:", "./grafana/provision:") },
			log:  []string{"grafana: whatever"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := shipped(t)
			if c.edit != nil {
				c.edit(f)
			}
			found := CheckLive(f.failed(c.role, c.log...), nil)
			found = without(found, "gate/nothing-checked", "panel/unchecked")
			if c.rule == "" {
				require.Empty(t, found, "%+v", found)
				return
			}
			require.Len(t, found, 1, "%+v", found)
			assert.Equal(t, c.rule, found[0].Rule)
			assert.Equal(t, Error, found[0].Severity)
			f.expect(found, []expected{{file: c.file, at: c.at, says: c.says, evidence: c.evidence, fix: c.fix, severity: Error}})
		})
	}
}

func without(found []Finding, rules ...string) []Finding {
	var out []Finding
	for _, f := range found {
		drop := false
		for _, r := range rules {
			drop = drop || f.Rule == r
		}
		if !drop {
			out = append(out, f)
		}
	}
	return out
}

// What was only a warning of the files does not stand for a server that is down.
func TestFaultWhoseCauseIsMadeMilder(t *testing.T) {
	f := shipped(t).write(secondFile, strings.ReplaceAll(secondEntry, "orgId: 7", "isDefault: true"))
	in := f.failed(env.RoleGrafana, "grafana: Datasource provisioning error: datasource.yaml config is invalid. Only one datasource per organization can be marked as default")
	in.Said = CheckStatic(in.Static, Severities{"datasource/duplicate": Warning})
	f.expect(datasourceInvalid().Live(in), []expected{{file: secondFile, at: "true", says: "marked as default", fix: "leave isDefault"}})
}

// The line that says why is quoted, however much comes after it.
func TestFaultEvidence(t *testing.T) {
	log := []string{"grafana: failure to map file z.yaml: x"}
	for i := range 20 {
		log = append(log, `level=error msg="stopped `+strings.Repeat("x", i)+`"`)
	}
	found := stackServerFailed().Live(shipped(t).failed(env.RoleGrafana, log...))
	require.Len(t, found, 1)
	assert.Len(t, found[0].Evidence, 9)
	assert.Equal(t, "its log: grafana: failure to map file z.yaml: x", found[0].Evidence[1])
}
