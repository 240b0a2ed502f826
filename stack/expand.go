package stack

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
)

// expander replaces variables in the values of provisioning files as Grafana
// does: first $__env{NAME} and ${NAME}, then $__file{PATH}, then whatever $NAME
// is left, the text that those brought in included. "$$" is a dollar sign. What
// is not set becomes nothing.
type expander struct {
	env  map[string]string
	file func(path string) (string, error)
}

var (
	envReference  = regexp.MustCompile(`\$(?:__env)?\{([^}]+)\}`)
	fileReference = regexp.MustCompile(`\$__file\{([^}]+)\}`)
)

func (e *expander) expand(text string) (string, error) {
	if !strings.Contains(text, "$") {
		return text, nil
	}
	parts := strings.Split(text, "$$")
	var failed error
	for i, part := range parts {
		part = envReference.ReplaceAllStringFunc(part, func(ref string) string {
			return e.env[envReference.FindStringSubmatch(ref)[1]]
		})
		part = fileReference.ReplaceAllStringFunc(part, func(ref string) string {
			content, err := e.file(fileReference.FindStringSubmatch(ref)[1])
			if err != nil {
				failed = fmt.Errorf("%s: %w", ref, err)
			}
			return content
		})
		parts[i] = os.Expand(part, func(name string) string { return e.env[name] })
	}
	return strings.Join(parts, "$"), failed
}

// includedFile is the text behind $__file{name}, trimmed as Grafana trims it. It
// is given only from inside the stack's own directory: a stack under test must
// not be able to read the machine that tests it.
func (l *loader) includedFile(g *Grafana, name string) (string, error) {
	host, ok := g.paths.HostPath(name)
	if !ok {
		return "", errors.New("no mount of the Grafana service leads there")
	}
	if !within(l.roots[0], resolveExisting(host)) {
		return "", errors.New("lies outside of the stack's directory, panelgate does not read it")
	}
	data, err := l.read(host)
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(string(data)), nil
}
