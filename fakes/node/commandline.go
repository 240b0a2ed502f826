package node

import (
	"path"
	"slices"
	"strings"
)

// program is the name of the binary, which a command line may begin with.
const program = "node_exporter"

// ownArguments are the arguments of a command line that are node_exporter's own: what is behind its name, by itself, behind a program
// that starts it ("tini", "--") or in the script of a shell ("sh", "-c", "exec /bin/node_exporter --no-collector.wifi").
func ownArguments(args []string) []string {
	if len(args) == 0 {
		return nil
	}
	if isShell(path.Base(args[0])) {
		for i, arg := range args[:len(args)-1] {
			if strings.HasPrefix(arg, "-") && !strings.HasPrefix(arg, "--") && strings.HasSuffix(arg, "c") {
				return ofCommand(words(args[i+1]))
			}
		}
	}
	if !strings.HasPrefix(args[0], "-") && slices.ContainsFunc(args, isProgram) {
		return ofCommand(args)
	}
	return args
}

func isShell(base string) bool {
	switch base {
	case "sh", "bash", "ash", "dash":
		return true
	}
	return false
}

func isProgram(word string) bool { return path.Base(word) == program }

// ofCommand are the words between node_exporter's name and the end of its command; none where it is not called by its name.
func ofCommand(words []string) []string {
	start := slices.IndexFunc(words, isProgram)
	if start < 0 {
		return nil
	}
	own := words[start+1:]
	if end := slices.IndexFunc(own, isEnd); end >= 0 {
		own = own[:end]
	}
	return own
}

// isEnd says whether a word ends a shell's command, or begins what is not its argument.
func isEnd(word string) bool {
	switch word {
	case ";", "&&", "||", "|", "&":
		return true
	}
	return strings.HasPrefix(word, ">") || strings.HasPrefix(word, "2>")
}

// words are those that a shell makes of a script, as far as quotes, backslashes and the signs between commands go.
func words(script string) []string {
	var (
		found  []string
		word   strings.Builder
		inWord bool
		quote  rune
	)
	end := func() {
		if inWord {
			found = append(found, word.String())
		}
		word.Reset()
		inWord = false
	}
	runes := []rune(script)
	for i := 0; i < len(runes); i++ {
		r := runes[i]
		switch {
		case r == '\\' && quote != '\'' && i+1 < len(runes):
			i++
			if next := runes[i]; quote == '"' && !strings.ContainsRune("\"\\$`\n", next) {
				word.WriteRune(r)
				word.WriteRune(next)
			} else if next != '\n' {
				word.WriteRune(next)
			}
			inWord = inWord || runes[i] != '\n'
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, inWord = r, true
		case r == ';' || r == '\n':
			end()
			found = append(found, ";")
		case r == ' ' || r == '\t':
			end()
		default:
			word.WriteRune(r)
			inWord = true
		}
	}
	end()
	return found
}
