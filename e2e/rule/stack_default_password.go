package rule

import (
	"strings"

	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/source"
)

const defaultPassword = "admin"

// stackDefaultPassword tells where Grafana's administrator still has the
// password that everybody knows.
func stackDefaultPassword() Rule {
	return Rule{
		ID:       "stack/default-password",
		Severity: Info,
		Summary:  "Grafana's administrator keeps the password admin",
		Static: func(in *Static) []Finding {
			if in.Stack.Grafana == nil || in.Stack.Grafana.Service == nil {
				return nil
			}
			s := in.Stack.Grafana.Service
			pos, isDefault := defaultLogin(s)
			if !isDefault {
				return nil
			}
			return []Finding{{
				Pos:     pos,
				Message: "Grafana's first login keeps the password \"" + defaultPassword + "\", with which whoever reaches the port is administrator",
				Fix:     "set GF_SECURITY_ADMIN_PASSWORD of service \"" + s.Name + "\" from the environment, as ${GF_SECURITY_ADMIN_PASSWORD:?}",
			}}
		},
	}
}

// defaultLogin says whether the service sets no password of its own, as far as
// its environment tells. A grafana.ini may set one too, so with one mounted
// nothing is claimed.
func defaultLogin(s *stack.Service) (source.Pos, bool) {
	env := s.Environment
	if env["GF_SECURITY_ADMIN_PASSWORD__FILE"].Value != "" ||
		env["GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION"].Value == "true" {
		return source.Pos{}, false
	}
	if password, ok := env["GF_SECURITY_ADMIN_PASSWORD"]; ok && password.Value != "" {
		return password.Pos, password.Value == defaultPassword
	}
	for _, m := range s.Mounts {
		if strings.HasSuffix(m.Target, ".ini") || strings.TrimSuffix(m.Target, "/") == "/etc/grafana" {
			return source.Pos{}, false
		}
	}
	return s.Pos, !s.HasBuild
}
