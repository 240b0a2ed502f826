package plan

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/panelgate/panelgate/fakes"
)

// Read reads a plan to its end; name stands for the file in errors. Unknown keys are refused. The plan is valid.
func Read(name string, from io.Reader) (*Plan, error) {
	data, err := io.ReadAll(io.LimitReader(from, MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read the plan: %w", err)
	}
	if len(data) > MaxBytes {
		return nil, fmt.Errorf("%s: more than the %d bytes that a plan may have", name, MaxBytes)
	}
	r := reader{name: name, data: data, decoder: json.NewDecoder(bytes.NewReader(data))}
	r.decoder.UseNumber()
	p := &Plan{}
	if err := r.object("the plan", p.keys(&r)); err != nil {
		return nil, err
	}
	if _, err := r.token(); !errors.Is(err, io.EOF) {
		return nil, r.errorf("something follows the plan")
	}
	if err := p.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return p, nil
}

func (p *Plan) keys(r *reader) setters {
	return setters{
		"version":       r.version(&p.Version),
		"start":         r.time(&p.Start),
		"scenario_name": r.text(&p.ScenarioName),
		"scenario":      r.text(&p.Scenario),
		"addresses":     list(r, &p.Addresses, func(address *string, what string) error { return r.text(address)(what) }),
		"listeners":     list(r, &p.Listeners, func(l *Listener, what string) error { return r.object(what, l.keys(r)) }),
	}
}

func (l *Listener) keys(r *reader) setters {
	return setters{
		"listen":      r.text(&l.Listen),
		"routes":      list(r, &l.Routes, func(route *Route, what string) error { return r.object(what, route.keys(r)) }),
		"forward":     r.text(&l.Forward),
		"certificate": r.text(&l.Certificate),
		"key":         r.text(&l.Key),
	}
}

func (route *Route) keys(r *reader) setters {
	return setters{
		"host":     r.text(&route.Host),
		"exporter": r.text(&route.Exporter),
		"instance": r.text(&route.Instance),
		"setup":    func(what string) error { return r.object(what, setupKeys(r, &route.Setup)) },
	}
}

func setupKeys(r *reader, s *fakes.Setup) setters {
	return setters{
		"version":   r.text(&s.Version),
		"args":      list(r, &s.Args, func(arg *string, what string) error { return r.text(arg)(what) }),
		"env":       r.texts(&s.Env),
		"files":     r.texts(&s.Files),
		"hostname":  r.text(&s.Hostname),
		"recording": r.base64(&s.Recording),
	}
}

// reader takes JSON token by token. Beside encoding/json's own decoding it knows where in the file it is, tells upper from lower
// case in keys, and refuses a key that stands twice.
type reader struct {
	name    string
	data    []byte
	decoder *json.Decoder
	at      int // where the last token begins
}

// setter reads a value, which errors call what.
type setter func(what string) error

type setters map[string]setter

func (r *reader) token() (json.Token, error) {
	r.at = int(r.decoder.InputOffset())
	for r.at < len(r.data) && strings.IndexByte(" \t\r\n,:", r.data[r.at]) >= 0 {
		r.at++
	}
	return r.decoder.Token()
}

// want reads a token of one kind; kind is its name in errors.
func want[T json.Token](r *reader, what, kind string) (T, error) {
	var none T
	token, err := r.token()
	var syntax *json.SyntaxError
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return none, r.errorf("%s: the file ends early", what)
	case errors.As(err, &syntax):
		return none, r.errorf("%s: no JSON: %w", what, err)
	case err != nil:
		return none, r.errorf("%s: %w", what, err)
	}
	value, ok := token.(T)
	if !ok {
		return none, r.errorf("%s: want %s, have %s", what, kind, describe(token))
	}
	return value, nil
}

func describe(token json.Token) string {
	switch t := token.(type) {
	case nil:
		return "null"
	case json.Delim:
		switch t {
		case '{':
			return "an object"
		case '[':
			return "a list"
		}
		return "nothing"
	case string:
		return "a text"
	}
	return fmt.Sprint(token)
}

// errorf is an error at the last token: file:line:column, all counted from 1, columns in bytes.
func (r *reader) errorf(format string, args ...any) error {
	before := r.data[:min(r.at, len(r.data))]
	line := 1 + bytes.Count(before, []byte{'\n'})
	column := len(before) - bytes.LastIndexByte(before, '\n')
	return fmt.Errorf("%s:%d:%d: %w", r.name, line, column, fmt.Errorf(format, args...))
}

// object hands the values of an object to the setters of their keys.
func (r *reader) object(what string, set setters) error {
	if err := r.delimiter(what, '{', "an object"); err != nil {
		return err
	}
	seen := map[string]bool{}
	for r.decoder.More() {
		key, err := want[string](r, what, "a key")
		if err != nil {
			return err
		}
		apply, known := set[key]
		switch {
		case !known:
			return r.errorf("unknown key %q in %s; known are %s", key, what, strings.Join(set.names(), ", "))
		case seen[key]:
			return r.errorf("key %q stands twice in %s", key, what)
		}
		seen[key] = true
		if err := apply(key); err != nil {
			return err
		}
	}
	return r.delimiter(what, '}', "the end of the object")
}

// list reads a list's items, each into a new element.
func list[T any](r *reader, to *[]T, item func(element *T, what string) error) setter {
	return func(what string) error {
		if err := r.delimiter(what, '[', "a list"); err != nil {
			return err
		}
		for r.decoder.More() {
			var element T
			if err := item(&element, what+"["+strconv.Itoa(len(*to))+"]"); err != nil {
				return err
			}
			*to = append(*to, element)
		}
		return r.delimiter(what, ']', "the end of the list")
	}
}

func (r *reader) delimiter(what string, delimiter json.Delim, kind string) error {
	have, err := want[json.Delim](r, what, kind)
	if err == nil && have != delimiter {
		err = r.errorf("%s: want %s, have %s", what, kind, describe(have))
	}
	return err
}

func (s setters) names() []string {
	names := make([]string, 0, len(s))
	for name := range s {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (r *reader) text(to *string) setter {
	return func(what string) (err error) {
		*to, err = want[string](r, what, "a text")
		return err
	}
}

// texts reads an object of texts, whatever its keys are.
func (r *reader) texts(to *map[string]string) setter {
	return func(what string) error {
		if err := r.delimiter(what, '{', "an object"); err != nil {
			return err
		}
		*to = map[string]string{}
		for r.decoder.More() {
			key, err := want[string](r, what, "a key")
			if err != nil {
				return err
			}
			if _, twice := (*to)[key]; twice {
				return r.errorf("key %q stands twice in %s", key, what)
			}
			value, err := want[string](r, key, "a text")
			if err != nil {
				return err
			}
			(*to)[key] = value
		}
		return r.delimiter(what, '}', "the end of the object")
	}
}

// base64 reads bytes as encoding/json writes them.
func (r *reader) base64(to *[]byte) setter {
	return func(what string) error {
		text, err := want[string](r, what, "a text")
		if err != nil {
			return err
		}
		if *to, err = base64.StdEncoding.DecodeString(text); err != nil {
			return r.errorf("%s: want bytes in base64: %w", what, err)
		}
		return nil
	}
}

func (r *reader) time(to *time.Time) setter {
	return func(what string) error {
		text, err := want[string](r, what, "a time")
		if err != nil {
			return err
		}
		at, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			return r.errorf("%s: want a time such as 2026-01-31T15:04:05Z, have %q", what, text)
		}
		*to = at.UTC()
		return nil
	}
}

// version refuses another version where it stands, before its unknown keys are.
func (r *reader) version(to *int) setter {
	return func(what string) error {
		number, err := want[json.Number](r, what, "a whole number")
		if err != nil {
			return err
		}
		if *to, err = strconv.Atoi(number.String()); err != nil || *to != Version {
			return r.errorf("%s is %s; this is version %d of the format", what, number, Version)
		}
		return nil
	}
}
