// Package commandline finds an exporter's own arguments in the command of a container, which may start it by way of an init program
// or a shell's script.
package commandline

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// Arguments are the words behind the exporter's name in a command. The name may stand by itself, behind a program that starts it, as in
// "tini", "--", or in a script, as in "sh", "-c", "exec /bin/node_exporter --no-collector.wifi". named says that it is there at all;
// where it is not, the arguments are all words of the command, as for an image whose entrypoint is the exporter, and none of a shell's,
// whose script starts it by ways unknown. isName says whether a word is the exporter's name. A script that no shell would read is an
// error.
func Arguments(command []string, isName func(word string) bool) (args []string, named bool, err error) {
	for _, word := range command {
		if !isScript(word) {
			continue
		}
		called, err := calls(word)
		if err != nil {
			if slices.ContainsFunc(strings.Fields(word), isName) {
				return nil, false, fmt.Errorf("the script %.100q: %w", word, err)
			}
			continue // it is no script
		}
		for _, words := range called {
			if i := nameIn(words, isName); i >= 0 {
				return words[i+1:], true, nil
			}
		}
	}
	if i := nameIn(command, isName); i >= 0 {
		return command[i+1:], true, nil
	}
	if len(command) > 0 && isShell(command[0]) {
		return nil, false, nil
	}
	return command, false, nil
}

func isShell(program string) bool {
	return slices.Contains([]string{"sh", "bash", "ash", "dash"}, path.Base(program))
}

// isScript says whether a word can be more than one.
func isScript(word string) bool {
	return strings.ContainsAny(word, " \t\n") && !strings.HasPrefix(word, "-")
}

// nameIn is where the name stands in a command, -1 where it does not. A flag's value is no name, but for Python's -m.
func nameIn(words []string, isName func(string) bool) int {
	for i, word := range words {
		if strings.HasPrefix(word, "-") || !isName(word) {
			continue
		}
		if i == 0 || !strings.HasPrefix(words[i-1], "-") || words[i-1] == "--" || words[i-1] == "-m" {
			return i
		}
	}
	return -1
}

// longest is how many bytes a script may have. That is many pages, and keeps what nests from using up the stack.
const longest = 64 << 10

// calls are the commands of a script with their words, in order.
func calls(script string) ([][]string, error) {
	if len(script) > longest {
		return nil, fmt.Errorf("%d bytes, more than the %d that are read", len(script), longest)
	}
	file, err := syntax.NewParser().Parse(strings.NewReader(script), "")
	if err != nil {
		return nil, err
	}
	var all [][]string
	syntax.Walk(file, func(node syntax.Node) bool {
		if call, ok := node.(*syntax.CallExpr); ok {
			var words []string
			for _, word := range call.Args {
				words = append(words, text(word))
			}
			all = append(all, words)
		}
		return true
	})
	return all, nil
}

// text is a word without its quotes. Variables, whose values nobody knows here, are left as they stand, and so is whatever else only
// a shell could work out. (The parser's own package expand would do more, such as a billion words of {1..1000000000}.)
func text(word *syntax.Word) string {
	var b strings.Builder
	for _, part := range word.Parts {
		switch part := part.(type) {
		case *syntax.Lit:
			b.WriteString(unescaped(part.Value, nil))
		case *syntax.SglQuoted:
			b.WriteString(part.Value)
		case *syntax.DblQuoted:
			for _, inner := range part.Parts {
				if lit, ok := inner.(*syntax.Lit); ok {
					b.WriteString(unescaped(lit.Value, []byte("\"\\$`")))
					continue
				}
				b.WriteString(source(inner))
			}
		default:
			b.WriteString(source(part))
		}
	}
	return b.String()
}

// unescaped is a text without the backslashes that protect the next character: any, or one of only.
func unescaped(text string, only []byte) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+1 < len(text) && (only == nil || bytes.IndexByte(only, text[i+1]) >= 0) {
			i++
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// source is a part of a word as it was written.
func source(part syntax.Node) string {
	var b bytes.Buffer
	if err := syntax.NewPrinter().Print(&b, part); err != nil {
		return "" // a buffer takes what is written, and what was parsed can be printed
	}
	return b.String()
}
