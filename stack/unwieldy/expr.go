// Package unwieldy looks at the text of PromQL before any parser does: a parser may
// take minutes and gigabytes for what nobody has written by hand.
package unwieldy

import (
	"fmt"
	"strings"
	"unicode"
)

// What an expression may hold. Parsing and evaluating cost more than in
// proportion beyond this; the largest seen in practice is a tenth of it.
const (
	maxExprBytes = 1 << 18
	maxNesting   = 200
	maxOperators = 500
)

// Expr says why an expression is too large to be taken apart, nil for all
// that people write. It reads no more than the brackets, operators and strings,
// so that it is safe where a parser is not.
func Expr(expr string) error {
	if len(expr) > maxExprBytes {
		return fmt.Errorf("the expression has %d bytes, more than %d", len(expr), maxExprBytes)
	}
	depth, operators := 0, 0
	for i := 0; i < len(expr); i++ {
		switch c := expr[i]; {
		case strings.IndexByte("\"'`", c) >= 0:
			i = stringEnd(expr, i)
		case c == '#':
			if end := strings.IndexByte(expr[i:], '\n'); end >= 0 {
				i += end
			} else {
				i = len(expr)
			}
		case strings.IndexByte("([{", c) >= 0:
			if depth++; depth > maxNesting {
				return fmt.Errorf("the expression nests deeper than %d brackets", maxNesting)
			}
		case strings.IndexByte(")]}", c) >= 0:
			depth--
		case strings.IndexByte("+-*/%^<>", c) >= 0:
			operators++
		case unicode.IsLetter(rune(c)):
			word := wordAt(expr[i:])
			if word == "and" || word == "or" || word == "unless" {
				operators++
			}
			i += len(word) - 1
		}
	}
	if operators > maxOperators {
		return fmt.Errorf("the expression has more than %d operators", maxOperators)
	}
	return nil
}

// stringEnd is the position of the quote that ends the string beginning at i.
func stringEnd(expr string, i int) int {
	quote := expr[i]
	for i++; i < len(expr) && expr[i] != quote; i++ {
		if expr[i] == '\\' && quote != '`' {
			i++
		}
	}
	return i
}

// wordAt is the identifier that a text begins with, at least its first byte.
func wordAt(text string) string {
	end := 1
	for end < len(text) && (text[end] == '_' || text[end] == ':' || text[end] >= '0' && text[end] <= '9' || unicode.IsLetter(rune(text[end]))) {
		end++
	}
	return text[:end]
}
