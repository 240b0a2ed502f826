package rule

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/stack/source"
)

// stackServerFailed says of a server that ended instead of coming up what its log
// ends with. What a rule of its own is about, such as a datasource that Grafana
// refuses, is said there.
func stackServerFailed() Rule {
	return Rule{
		ID:       "stack/server-failed",
		Severity: Error,
		Summary:  "Prometheus, Grafana or an exporter ends instead of coming up",
		Static:   exportersRefused,
		Live: func(in *Live) []Finding {
			var out []Finding
			for _, r := range refusals(in, "stack/server-failed") {
				f := Finding{Message: r.server() + " ends instead of coming up", Evidence: r.tail(), Fix: serverRemedy(r.words)}
				if r.words != "" {
					f.Message += ": " + r.words
				}
				var pos source.Pos
				if g := in.Stack.Grafana; g != nil && g.Service == r.Service && g.ProvisioningDir != "" {
					pos, _ = r.place(in.Stack, filepath.Join(g.ProvisioningDir, "alerting"), filepath.Join(g.ProvisioningDir, "plugins"))
				} else {
					pos, _ = r.place(in.Stack)
				}
				f.Pos = r.orService(pos)
				out = append(out, f)
			}
			for _, u := range in.Instance.Unhealthy {
				out = append(out, neverHealthy(u))
			}
			return out
		},
	}
}

// neverHealthy says of a server that runs what its failing health check keeps from
// being started.
func neverHealthy(u env.Unhealthy) Finding {
	return Finding{
		Pos: u.Service.Healthcheck.Pos,
		Message: fmt.Sprintf("the health check of service %q fails, and %q, which waits for it to be healthy, is never started",
			u.Service.Name, u.Waiting),
		Evidence: []string{"the check: " + oneLine(u.Command), "in the container: " + oneLine(u.Output)},
		Fix:      "let the check run what the image has and what answers there: Prometheus' images bring promtool and wget, Grafana's wget",
	}
}

// serverRemedy says what helps against what servers end over most.
func serverRemedy(words string) string {
	for _, known := range []struct{ text, fix string }{
		{"unknown long flag", "take the flag out of the service's command, or run an image that knows it"},
		{"permission denied", "let the user that the container runs as read or write what is named: by the mode of the mounted files, or with user:"},
		{"read-only file system", "mount what is named for writing"},
		{"no such file or directory", "mount what is named, or mend the path"},
		{"plugin not installed", "have the plugin installed with GF_PLUGINS_PREINSTALL_SYNC, or take it out of the provisioning"},
		{"failure to map file", "mend the file under provisioning/alerting that is named"},
		{"failure to parse file", "mend the file under provisioning/alerting that is named"},
		{"migration failed", "start from an empty volume, or from an image no older than the one that wrote it"},
		{"address already in use", "give the two servers ports of their own"},
	} {
		if strings.Contains(words, known.text) {
			return known.fix
		}
	}
	return "mend what the last lines of its log name"
}
