package triton

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/panelgate/panelgate/fakes/internal/commandline"
)

// flag is a flag of the command line that is about metrics, with its value.
type flag struct {
	name, value string
	read        func(value string) error
}

// split finds the flags that are about metrics, as getopt_long does: --name=value or --name value, up to a bare --.
func (o *options) split(words []string) ([]flag, error) {
	settings := o.settings()
	var flags []flag
	for i := 0; i < len(words) && words[i] != "--"; i++ {
		text, isFlag := strings.CutPrefix(words[i], "--")
		if !isFlag {
			continue
		}
		name, value, joined := strings.Cut(text, "=")
		s, known := settings[name]
		if err := misspelt(name); err != nil {
			return nil, err
		}
		if !known || s.since != "" && o.release.Before(s.since) {
			continue
		}
		if !joined {
			if i+1 == len(words) {
				return nil, fmt.Errorf("--%s has no value", name)
			}
			i++
			value = words[i]
		}
		flags = append(flags, flag{name, value, s.read})
	}
	return flags, nil
}

// misspelt refuses a flag that begins like those of the metrics port and is none of any release. The beginning of one is taken for it,
// as getopt_long does.
func misspelt(name string) error {
	flags := []string{"metrics-address", "metrics-config", "metrics-interval-ms", "metrics-port"}
	if !strings.HasPrefix(name, "metrics-") || slices.ContainsFunc(flags, func(f string) bool { return strings.HasPrefix(f, name) }) {
		return nil
	}
	return fmt.Errorf("unrecognized option '--%s': there are --%s", name, strings.Join(flags, ", --"))
}

const program = "tritonserver"

// commandLine is what stands behind the program's name in a container's command. whole says that it is all of it, rather than what
// somebody has picked out: the program is named, or the model repository, without which Triton does not start.
func commandLine(args []string) (words []string, whole bool, err error) {
	words, named, err := commandline.Arguments(args, func(word string) bool { return path.Base(word) == program })
	return words, named || slices.ContainsFunc(words, namesRepository), err
}

func namesRepository(word string) bool {
	name, _, _ := strings.Cut(word, "=")
	return name == "--model-repository" || name == "--model-store"
}
