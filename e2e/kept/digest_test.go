package kept

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"
	"weak"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type inner struct {
	Name   string
	hidden int
	Up     *outer
}

type outer struct {
	Texts  []string
	ByName map[string]int
	Any    any
	Inner  *inner
	Other  *inner
	Bytes  []byte
	At     time.Time
	F      float64
	C      complex128
	Call   func()
}

func sample() outer {
	o := outer{Texts: []string{"a", "b"}, ByName: map[string]int{"x": 1, "y": 2}, Any: 7, Bytes: []byte("ab"), At: time.Unix(5, 6), F: 1.5, C: 2i}
	o.Inner = &inner{Name: "n", hidden: 3}
	o.Other = o.Inner
	o.Inner.Up = &o
	return o
}

// Every change of a value, however deep, is another sum, and none is the same twice.
func TestPartOfTellsApart(t *testing.T) {
	sums := map[[32]byte]string{}
	for _, tc := range []struct {
		name string
		edit func(*outer)
	}{
		{"nothing", func(*outer) {}},
		{"an element", func(o *outer) { o.Texts[1] = "c" }},
		{"elements run together", func(o *outer) { o.Texts = []string{"ab"} }},
		{"no elements", func(o *outer) { o.Texts = []string{} }},
		{"no list", func(o *outer) { o.Texts = nil }},
		{"a value of a map", func(o *outer) { o.ByName["y"] = 3 }},
		{"a key of a map", func(o *outer) { delete(o.ByName, "y"); o.ByName["z"] = 2 }},
		{"no map", func(o *outer) { o.ByName = nil }},
		{"the type behind any", func(o *outer) { o.Any = int64(7) }},
		{"nothing behind any", func(o *outer) { o.Any = nil }},
		{"a hidden field", func(o *outer) { o.Inner.hidden = 4 }},
		{"another of the same content", func(o *outer) { c := *o.Inner; o.Other = &c }},
		{"no pointer", func(o *outer) { o.Other = nil }},
		{"no way back", func(o *outer) { o.Inner.Up = nil }},
		{"bytes", func(o *outer) { o.Bytes = []byte("ac") }},
		{"a time", func(o *outer) { o.At = time.Unix(5, 7) }},
		{"no time", func(o *outer) { o.At = time.Time{} }},
		{"a number", func(o *outer) { o.F = 1.5000001 }},
		{"a complex number", func(o *outer) { o.C = 2 }},
	} {
		o := sample()
		tc.edit(&o)
		part, err := PartOf("it", "", &o)
		require.NoError(t, err, tc.name)
		assert.Empty(t, sums[part.Sum], "%s is as %s", tc.name, sums[part.Sum])
		sums[part.Sum] = tc.name
		again := sample()
		tc.edit(&again)
		same, err := PartOf("it", "", &again)
		require.NoError(t, err)
		assert.Equal(t, part, same, tc.name)
	}
}

func TestPartOfRefuses(t *testing.T) {
	o := sample()
	o.Call = func() {}
	for _, v := range []any{o, make(chan int), map[float64]int{1: 2}} {
		_, err := PartOf("it", "", v)
		require.Error(t, err)
	}
}

// A stack is the same wherever it lies; a directory beside it is not in it.
// What a weak pointer leads to can be made anew from the rest of a value, and may be gone.
func TestPartOfLeavesOutWhatMayBeGone(t *testing.T) {
	type remembering struct {
		Name   string
		recent weak.Pointer[string]
	}
	text := "as it was read"
	with, err := PartOf("x", "", remembering{"n", weak.Make(&text)})
	require.NoError(t, err)
	without, err := PartOf("x", "", remembering{Name: "n"})
	require.NoError(t, err)
	assert.Equal(t, without, with)
	runtime.KeepAlive(&text)
}

func TestPartOfPaths(t *testing.T) {
	sum := func(dir string, v any) Part {
		part, err := PartOf("it", dir, v)
		require.NoError(t, err)
		return part
	}
	at := func(elements ...string) string {
		return filepath.Join(append([]string{string(filepath.Separator)}, elements...)...)
	}
	assert.Equal(t, sum(at("a"), at("a", "x")), sum(at("b", "c"), at("b", "c", "x")))
	assert.Equal(t, sum(at("a"), at("a")), sum(at("b", "c"), at("b", "c")))
	assert.NotEqual(t, sum(at("a"), at("ab", "x")), sum(at("b"), at("bb", "x")))
	assert.NotEqual(t, sum(at("a"), at("a", "x")), sum(at("a"), at("a", "y")))
}

func TestKeys(t *testing.T) {
	p := func(name string, v any) Part {
		part, err := PartOf(name, "", v)
		require.NoError(t, err)
		return part
	}
	base := KeyOf("k", []Part{p("a", 1), p("b", 2)})
	for _, other := range []Key{
		KeyOf("l", []Part{p("a", 1), p("b", 2)}), KeyOf("k", []Part{p("b", 2), p("a", 1)}), KeyOf("k", []Part{p("a", 1)}),
		KeyOf("k", []Part{p("a", 1), p("c", 2)}), KeyOf("k", nil), base.Within("k"), base.Within("k", p("a", 1)),
	} {
		assert.NotEqual(t, base, other)
	}
	assert.Equal(t, base, KeyOf("k", []Part{p("a", 1), p("b", 2)}))
}

// Two builds of other code, or with other flags, are told apart, stripped or not; two of
// the same are one.
func TestProgramOf(t *testing.T) {
	if testing.Short() {
		t.Skip("programs are not built with -short")
	}
	dir := t.TempDir()
	build := func(name, said string, flags ...string) string {
		source, out := filepath.Join(dir, name+".go"), filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(source, []byte("package main\n\nfunc main() { println(\""+said+"\") }\n"), 0o600))
		cmd := exec.CommandContext(t.Context(), "go", append(append([]string{"build"}, flags...), "-o", out, source)...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOFLAGS=", "GOWORK=off", "GO111MODULE=off")
		text, err := cmd.CombinedOutput()
		require.NoError(t, err, string(text))
		id, err := programOf(out)
		require.NoError(t, err)
		return id
	}
	seen := map[string]string{}
	for _, tc := range []struct {
		name, said string
		flags      []string
	}{
		{"plain", "a", nil},
		{"other", "b", nil},
		{"stripped", "a", []string{"-ldflags=-s -w"}},
		{"otherStripped", "b", []string{"-ldflags=-s -w"}},
		{"blank", "a", []string{"-ldflags=-buildid="}},
		{"otherBlank", "b", []string{"-ldflags=-buildid="}},
		{"named", "a", []string{"-ldflags=-buildid=redacted"}},
		{"otherNamed", "b", []string{"-ldflags=-buildid=redacted"}},
	} {
		id := build(tc.name, tc.said, tc.flags...)
		assert.Empty(t, seen[id], "%s is as %s", tc.name, seen[id])
		seen[id] = tc.name
		assert.Equal(t, id, build(tc.name, tc.said, tc.flags...), tc.name)
	}
	_, err := programOf(filepath.Join(dir, "none"))
	require.Error(t, err)
	mine, err := Program()
	require.NoError(t, err)
	assert.NotContains(t, seen, mine)
}
