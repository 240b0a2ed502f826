package workflows

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// value is a value of GitHub's expressions: nil, a bool, a string or an object.
type value any

type object map[string]value

// scope is what an expression knows: the contexts, and how the job stands.
type scope struct {
	contexts object
	failed   bool
}

// truthy follows GitHub: null, false, 0 and the empty string are false.
func truthy(v value) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case string:
		return v != ""
	default:
		return true
	}
}

// number is what a value counts as where types differ.
func number(v value) float64 {
	switch v := v.(type) {
	case nil:
		return 0
	case bool:
		if v {
			return 1
		}
		return 0
	case string:
		if v == "" {
			return 0
		}
		if n, err := strconv.ParseFloat(v, 64); err == nil {
			return n
		}
	}
	return math.NaN()
}

// equal compares as GitHub does: strings without regard to case, mixed types as numbers.
func equal(a, b value) bool {
	x, xok := a.(string)
	y, yok := b.(string)
	if xok && yok {
		return strings.EqualFold(x, y)
	}
	return number(a) == number(b)
}

func text(v value) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	default:
		return "Object"
	}
}

// expression evaluates the part of GitHub's language that our files use: && || ! == !=,
// parentheses, strings, contexts and the functions of a job's status.
type expression struct {
	tokens []string
	in     scope
}

func (s scope) evaluate(source string) (v value, err error) {
	lexer := regexp.MustCompile(`\s*('(?:[^']|'')*'|&&|\|\||==|!=|[!()]|[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*)`)
	e := &expression{in: s}
	for rest := strings.TrimSpace(source); rest != ""; {
		found := lexer.FindStringSubmatchIndex(rest)
		if found == nil || found[0] != 0 {
			return nil, fmt.Errorf("%s: not understood from %q", source, rest)
		}
		e.tokens = append(e.tokens, rest[found[2]:found[3]])
		rest = rest[found[1]:]
	}
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%s: %v", source, r)
		}
	}()
	v = e.or()
	if len(e.tokens) > 0 {
		return nil, fmt.Errorf("%s: left over: %q", source, e.tokens)
	}
	return v, nil
}

func (e *expression) take(token string) bool {
	if len(e.tokens) == 0 || e.tokens[0] != token {
		return false
	}
	e.tokens = e.tokens[1:]
	return true
}

func (e *expression) or() value {
	v := e.and()
	for e.take("||") {
		if right := e.and(); !truthy(v) {
			v = right
		}
	}
	return v
}

func (e *expression) and() value {
	v := e.comparison()
	for e.take("&&") {
		if right := e.comparison(); truthy(v) {
			v = right
		}
	}
	return v
}

func (e *expression) comparison() value {
	v := e.unary()
	for {
		switch {
		case e.take("=="):
			v = equal(v, e.unary())
		case e.take("!="):
			v = !equal(v, e.unary())
		default:
			return v
		}
	}
}

func (e *expression) unary() value {
	if e.take("!") {
		return !truthy(e.unary())
	}
	if e.take("(") {
		v := e.or()
		e.must(")")
		return v
	}
	if len(e.tokens) == 0 {
		panic("ends too early")
	}
	token := e.tokens[0]
	e.tokens = e.tokens[1:]
	switch {
	case token[0] == '\'':
		return strings.ReplaceAll(token[1:len(token)-1], "''", "'")
	case e.take("("):
		e.must(")")
		return e.status(token)
	}
	return e.context(token)
}

func (e *expression) must(token string) {
	if !e.take(token) {
		panic("no " + token)
	}
}

func (e *expression) status(function string) value {
	switch function {
	case "always":
		return true
	case "cancelled":
		return false
	case "success":
		return !e.in.failed
	case "failure":
		return e.in.failed
	}
	panic("no function " + function)
}

// context looks a path up. What an object has not is null, but a context has to be there.
func (e *expression) context(path string) value {
	names := strings.Split(path, ".")
	v, ok := e.in.contexts[names[0]]
	if !ok {
		panic("no context " + names[0])
	}
	for _, name := range names[1:] {
		o, ok := v.(object)
		if !ok {
			return nil
		}
		v = o[name]
	}
	return v
}

// fill replaces the expressions in a text by what they come to.
func (s scope) fill(t *testing.T, source string) string {
	t.Helper()
	return regexp.MustCompile(`\$\{\{(.*?)\}\}`).ReplaceAllStringFunc(source, func(found string) string {
		v, err := s.evaluate(found[3 : len(found)-2])
		require.NoError(t, err)
		return text(v)
	})
}

// runs says whether a step with the condition runs. One that does not ask how the job
// stands runs only while nothing has failed.
func (s scope) runs(t *testing.T, condition string) bool {
	t.Helper()
	condition = strings.TrimSpace(condition)
	if inner, ok := strings.CutPrefix(condition, "${{"); ok {
		condition = strings.TrimSuffix(inner, "}}")
	}
	if condition == "" {
		condition = "success()"
	}
	v, err := s.evaluate(condition)
	require.NoError(t, err)
	asks := regexp.MustCompile(`\b(always|cancelled|success|failure)\(\)`).MatchString(condition)
	return truthy(v) && (asks || !s.failed)
}

func TestExpressions(t *testing.T) {
	s := scope{contexts: object{
		"inputs": object{"fail-on": "error", "empty": ""},
		"github": object{"event": object{"number": object{}}},
	}}
	for source, want := range map[string]value{
		"inputs.fail-on == 'ERROR'":                 true,
		"inputs.fail-on != 'error' || inputs.empty": "",
		"inputs.none == '' && inputs.empty == ''":   true,
		"inputs.none.deeper == inputs.fail-on":      false,
		"!github.event.number":                      false,
		"!github.event.pull_request":                true,
		"github.event.number == 'x'":                false,
		"!(inputs.empty == 'it''s') && always()":    true,
		"inputs.empty || inputs.fail-on":            "error",
		"success() && !cancelled() && failure()":    false,
	} {
		got, err := s.evaluate(source)
		require.NoError(t, err, source)
		assert.Equal(t, want, got, source)
	}
	for _, source := range []string{"success() ==", "hashFiles('x')", "secrets.TOKEN", "(always()", "a b", "inputs.x > 1"} {
		_, err := s.evaluate(source)
		assert.Error(t, err, source)
	}
}
