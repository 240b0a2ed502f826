package drift

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/panelgate/panelgate/stack"
)

// mentioned says of a metric whether anything of the stack may ask for it. What nobody
// asks for may come and go.
type mentioned func(metric string) bool

// anyName finds what asks for metrics without naming them in full, or counts them: then
// every one is asked for. Beside functions of variables and limits of jobs these are
// selectors without a name, and names that have a variable in them.
var anyName = regexp.MustCompile(`__name__|label_values\(\s*[$\w{}]+\s*\)|metrics\(|label_names\(|_limit:|` +
	`(?:^|[^\w:])\{\s*[a-zA-Z_]\w*\s*[=!]|[A-Za-z_:]\$[\w{]|\$\{\w+\}[A-Za-z_]`)

// mentionedBy reads every file of the stack in which a query may stand.
func mentionedBy(s *stack.Stack) mentioned {
	var b strings.Builder
	everything := func(string) bool { return true }
	add := func(file string) bool {
		data, err := os.ReadFile(file)
		b.Write(data)
		b.WriteByte('\n')
		return err == nil
	}
	b.Write(s.Prometheus.Content)
	for _, f := range s.Prometheus.RuleFiles {
		if f.Path != "" && !add(f.Path) {
			return everything
		}
	}
	for _, board := range s.Dashboards {
		if !add(filepath.Join(s.Dir, board.File)) {
			return everything
		}
	}
	if len(s.Alerts) > 0 || anyName.MatchString(b.String()) {
		return everything
	}
	text := b.String()
	return func(metric string) bool { return strings.Contains(text, metric) }
}
