package rule

import "github.com/panelgate/panelgate/stack"

// stackComposeInvalid proves that compose can read its file and every file that
// it names.
func stackComposeInvalid() Rule {
	return Rule{
		ID:       "stack/compose-invalid",
		Severity: Error,
		Summary:  "the compose file does not load, or names a file that is not there",
		Static: func(in *Static) []Finding {
			return problems(in.Stack, stack.AreaCompose)
		},
	}
}
