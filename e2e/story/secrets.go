package story

import "regexp"

// What stands for a secret.
const hidden = "***"

var (
	// userinfo is the password of a URL, even of one that is none.
	userinfo = regexp.MustCompile(`(://[^/\s:@"']*):[^/@\s"']+@`)
	// parameter is one of a URL's query that is named like a secret.
	parameter = regexp.MustCompile(`(?i)([?&][\w.\-]*(?:token|secret|passw(?:or)?d|api[_-]?key|access[_-]?key|auth|credential|signature)[\w.\-]*=)[^&\s"'#]+`)
	// scalar is how the YAML library begins to quote a value that has no place where it
	// stands. Of a configuration, that is a login more often than not.
	scalar = regexp.MustCompile("(cannot unmarshal !!\\w+) `[^`]*`( into (?:\\*?config\\.(?:Authorization|BasicAuth|OAuth2|HTTPClientConfig|Secret\\w*|Header|Headers|TLSConfig)|\\*?secrets?\\.\\w+|\\*?Secret))")
)

// Hide takes passwords and tokens out of a text that others have worded, as Prometheus
// and the libraries that read files do: they repeat what they choke on.
func Hide(text string) string {
	text = userinfo.ReplaceAllString(text, "$1:"+hidden+"@")
	text = parameter.ReplaceAllString(text, "${1}"+hidden)
	return scalar.ReplaceAllString(text, "$1$2")
}
