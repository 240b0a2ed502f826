package vllm

import (
	"path"
	"slices"
	"strings"
)

// module is how the names of the server's programs begin that Python runs.
const module = "vllm.entrypoints."

// commandLine is what stands behind the program in a container's command: vllm serve, a Python module, or nothing where the image says
// which; as words, or in the line that a shell is given.
func commandLine(args []string) []string {
	var words []string
	for _, arg := range args {
		if named(arg) && strings.ContainsAny(arg, " \t\n") && !strings.HasPrefix(arg, "--") {
			words = append(words, shellWords(arg)...)
			continue
		}
		words = append(words, arg)
	}
	if i := slices.IndexFunc(words, func(w string) bool { return strings.HasPrefix(w, module) }); i >= 0 {
		return words[i+1:]
	}
	if i := slices.IndexFunc(words, func(w string) bool { return path.Base(w) == "vllm" }); i >= 0 {
		words = words[i+1:]
	}
	if len(words) > 0 && words[0] == "serve" {
		words = words[1:]
	}
	return words
}

// named says whether a word names one of the programs.
func named(word string) bool {
	return strings.Contains(word, module) || strings.Contains(word, "vllm serve")
}

// shellWords are the words of a shell's line, without their quotes and the backslashes at the ends of lines.
func shellWords(line string) []string {
	var words []string
	var word strings.Builder
	var quote rune
	begun := false
	for _, r := range strings.ReplaceAll(line, "\\\n", " ") {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '"' || r == '\''):
			quote, begun = r, true
		case quote == 0 && (r == ' ' || r == '\t' || r == '\n'):
			if begun {
				words = append(words, word.String())
			}
			word.Reset()
			begun = false
		default:
			word.WriteRune(r)
			begun = true
		}
	}
	if begun {
		words = append(words, word.String())
	}
	return words
}
