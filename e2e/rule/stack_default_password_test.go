package rule

import "testing"

func TestStackDefaultPassword(t *testing.T) {
	const password = "GF_SECURITY_ADMIN_PASSWORD: ${GF_SECURITY_ADMIN_PASSWORD:-admin}"
	runFileCases(t, stackDefaultPassword(), []fileCase{
		{
			name: "admin by default of the variable",
			edit: func(*fixture) {},
			file: composeFile, at: "${GF_SECURITY_ADMIN_PASSWORD:-admin}",
			message: []string{`"admin"`}, fix: "GF_SECURITY_ADMIN_PASSWORD",
		},
		{
			name: "no password at all",
			edit: func(f *fixture) { f.replace(composeFile, "      "+password+"\n", "") },
			file: composeFile, at: "grafana:\n    image", message: []string{`"admin"`},
		},
		{
			name: "another password",
			edit: func(f *fixture) { f.replace(composeFile, password, "GF_SECURITY_ADMIN_PASSWORD: correct-horse") },
		},
		{
			name: "set by .env",
			edit: func(f *fixture) { f.write(".env", "GF_SECURITY_ADMIN_PASSWORD=correct-horse\n") },
		},
		{
			name: "read from a secret",
			edit: func(f *fixture) {
				f.replace(composeFile, password, "GF_SECURITY_ADMIN_PASSWORD__FILE: /run/secrets/grafana")
			},
		},
		{
			name: "a grafana.ini may set it",
			edit: func(f *fixture) {
				f.replace(composeFile, "      "+password+"\n", "").
					replace(composeFile, "      - grafana-data:", "      - ./grafana/grafana.ini:/etc/grafana/grafana.ini:ro\n      - grafana-data:").
					write("grafana/grafana.ini", "")
			},
		},
		{name: "no compose file", edit: noCompose},
	})
}
