package stack

import (
	"net"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Flag is the value of a flag of the service's command line, as "--name=value",
// "--name value", or either with one dash; set says whether it is there at all.
// A flag that another one follows has the value "". In a command that a shell
// runs ("sh -c '…'") the words of the script are looked through; what a shell
// would replace in them stays as it is written.
func (s *Service) Flag(name string) (value string, set bool) {
	if s == nil {
		return "", false
	}
	words := commandWords(slices.Concat(s.Entrypoint, s.Command))
	for i, word := range words {
		flag, value, hasValue := strings.Cut(word, "=")
		switch {
		case flag != "-"+name && flag != "--"+name:
		case hasValue:
			return value, true
		case i+1 < len(words) && !strings.HasPrefix(words[i+1], "-"):
			return words[i+1], true
		default:
			return "", true
		}
	}
	return "", false
}

// commandWords are the arguments of a command, the script of a shell taken apart.
func commandWords(args []string) []string {
	var out []string
	shell := false
	for i, arg := range args {
		if shell && i > 0 && isScriptOption(args[i-1]) {
			out = append(out, shellWords(arg)...)
			shell = false
			continue
		}
		shell = shell || slices.Contains([]string{"sh", "ash", "bash", "dash"}, path.Base(arg))
		out = append(out, arg)
	}
	return out
}

// isScriptOption says whether a shell takes what comes next for its script: -c,
// alone or among others as in -ec.
func isScriptOption(arg string) bool {
	return strings.HasPrefix(arg, "-") && !strings.HasPrefix(arg, "--") && strings.HasSuffix(arg, "c")
}

// shellWords splits a script into words: quotes and backslashes are undone, and
// what ends a command ends a word.
func shellWords(script string) []string {
	var words []string
	var word strings.Builder
	var quote rune
	begun, escaped := false, false
	end := func() {
		if begun {
			words = append(words, word.String())
		}
		word.Reset()
		begun = false
	}
	for _, r := range script {
		switch {
		case escaped:
			escaped = false
			if r != '\n' { // a line that goes on
				begun = true
				word.WriteRune(r)
			}
		case r == '\\' && quote != '\'':
			escaped = true
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, begun = r, true
		case strings.ContainsRune(" \t\r\n;&|()<>", r):
			end()
		default:
			begun = true
			word.WriteRune(r)
		}
	}
	end()
	return words
}

// ListenPort is the TCP port that a Prometheus service listens on: what its flag
// says, else the default.
func (s *Service) ListenPort() int {
	if listen, ok := s.Flag("web.listen-address"); ok {
		if _, port, err := net.SplitHostPort(listen); err == nil {
			if n, err := strconv.Atoi(port); err == nil {
				return n
			}
		}
	}
	return prometheusPort
}

// RoutePrefix is the path below which a Prometheus service answers, "" for the root,
// else with a slash before it and none behind.
func (s *Service) RoutePrefix() string {
	prefix, set := s.Flag("web.route-prefix")
	if external, ok := s.Flag("web.external-url"); ok && !set {
		if u, err := url.Parse(external); err == nil {
			prefix = u.Path
		}
	}
	if prefix = strings.Trim(prefix, "/"); prefix == "" {
		return ""
	}
	return "/" + prefix
}
