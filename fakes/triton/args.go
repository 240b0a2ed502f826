package triton

import (
	"fmt"
	"path"
	"slices"
	"strings"
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

// commandLine is what stands behind the program's name in a container's command: the words themselves, or those of the line that a
// shell is given. whole says that they are all of them, rather than what somebody has picked out: the program is named, or the model
// repository, without which Triton does not start.
func commandLine(args []string) (words []string, whole bool, err error) {
	for _, arg := range args {
		if !strings.Contains(arg, program) || !strings.ContainsAny(arg, " \t\n") || strings.HasPrefix(arg, "--") {
			words = append(words, arg)
			continue
		}
		line, err := shellWords(arg)
		if err != nil {
			return nil, false, err
		}
		words = append(words, line...)
	}
	if i := slices.IndexFunc(words, func(w string) bool { return path.Base(w) == program }); i >= 0 {
		words, whole = words[i+1:], true
		if end := slices.Index(words, endOfCommand); end >= 0 {
			words = words[:end]
		}
	}
	return words, whole || slices.ContainsFunc(words, namesRepository), nil
}

func namesRepository(word string) bool {
	name, _, _ := strings.Cut(word, "=")
	return name == "--model-repository" || name == "--model-store"
}

// endOfCommand stands where a shell's line goes on with another command; no word of a line is like it.
const endOfCommand = "\n;"

// shellWords splits a shell's line into words: at spaces that no quote or backslash protects. Variables are left as they stand.
func shellWords(line string) ([]string, error) {
	var words []string
	var word strings.Builder
	begun := false
	end := func() {
		if begun {
			words = append(words, word.String())
		}
		word.Reset()
		begun = false
	}
	for i := 0; i < len(line); i++ {
		switch c := line[i]; c {
		case '\'', '"':
			text, length, closed := quoted(line[i+1:], c)
			if !closed {
				return nil, fmt.Errorf("%q: a quote is not closed", line)
			}
			word.WriteString(text)
			i += length
			begun = true
		case '\\':
			if i++; i < len(line) && line[i] != '\n' {
				word.WriteByte(line[i])
				begun = true
			}
		case ' ', '\t':
			end()
		case ';', '&', '|', '\n', '#':
			if c == '#' && begun {
				word.WriteByte(c)
				continue
			}
			end()
			words = append(words, endOfCommand)
		default:
			word.WriteByte(c)
			begun = true
		}
	}
	end()
	return words, nil
}

// quoted is the text up to the closing quote, and how far that is from the opening one. Between double quotes a backslash protects
// what means something there.
func quoted(line string, quote byte) (text string, length int, closed bool) {
	var b strings.Builder
	for i := 0; i < len(line); i++ {
		switch {
		case line[i] == quote:
			return b.String(), i + 1, true
		case line[i] == '\\' && quote == '"' && i+1 < len(line) && strings.IndexByte("\"\\$`", line[i+1]) >= 0:
			i++
		}
		b.WriteByte(line[i])
	}
	return "", 0, false
}
