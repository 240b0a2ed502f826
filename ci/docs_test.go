package main

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/internal/engine"
)

// fenced is a block of a page that shows commands. HTML comments just before it, which
// nobody sees, say what the test has to know:
//
//	<!-- not run: REASON -->       needs what a test has not
//	<!-- run with docker -->       where an engine is
//	<!-- run before: COMMAND -->   what makes the stack what the page says it is
//	<!-- exit code: N -->          of the last command; 0 in sh blocks unless told
//	<!-- slow -->                  left out with -short
type fenced struct {
	page     string
	line     int
	language string
	text     string
	notRun   string
	docker   bool
	slow     bool
	before   []string
	exitCode int // -1 where nothing is said
}

// pagesWithCommands are the pages whose commands are run. What README.ko.md shows is
// what README.md shows.
func pagesWithCommands(t *testing.T) []string {
	t.Helper()
	pages, err := filepath.Glob("../docs/*.md")
	require.NoError(t, err)
	pages = append(pages, "../README.md")
	require.NoError(t, filepath.WalkDir("../docs/rules", func(file string, d fs.DirEntry, err error) error {
		if filepath.Ext(file) == ".md" && !d.IsDir() {
			pages = append(pages, file)
		}
		return err
	}))
	return pages
}

var (
	fenceLine   = regexp.MustCompile("^( *)(```+)([a-z]*)")
	commentLine = regexp.MustCompile(`^\s*<!-- (.*) -->\s*$`)
)

// blocks are all fenced blocks of a page.
func blocks(t *testing.T, page string) []fenced {
	t.Helper()
	data, err := os.ReadFile(page)
	require.NoError(t, err)
	var out []fenced
	var said []string
	lines := strings.Split(string(data), "\n")
	for i := 0; i < len(lines); i++ {
		if comment := commentLine.FindStringSubmatch(lines[i]); comment != nil {
			said = append(said, comment[1])
			continue
		}
		fence := fenceLine.FindStringSubmatch(lines[i])
		if fence == nil {
			if strings.TrimSpace(lines[i]) != "" {
				said = nil
			}
			continue
		}
		b := fenced{page: page, line: i + 1, language: fence[3], exitCode: -1}
		var text []string
		for i++; i < len(lines) && strings.TrimSpace(lines[i]) != fence[2]; i++ {
			text = append(text, strings.TrimPrefix(lines[i], fence[1]))
		}
		require.Less(t, i, len(lines), "%s:%d: the block has no end", page, b.line)
		b.text = strings.Join(text, "\n") + "\n"
		b.understand(t, said)
		said = nil
		out = append(out, b)
	}
	return out
}

func (b *fenced) understand(t *testing.T, said []string) {
	t.Helper()
	for _, comment := range said {
		what, value, _ := strings.Cut(comment, ": ")
		switch what {
		case "not run":
			b.notRun = value
		case "run with docker":
			b.docker = true
		case "run before":
			b.before = append(b.before, value)
		case "slow":
			b.slow = true
		case "exit code":
			code, err := strconv.Atoi(value)
			require.NoError(t, err, "%s:%d", b.page, b.line)
			b.exitCode = code
		default:
			t.Fatalf("%s:%d: %q says nothing to this test", b.page, b.line, comment)
		}
	}
}

// TestCommandsOfTheDocs runs what the pages show.
func TestCommandsOfTheDocs(t *testing.T) {
	ran := 0
	for _, page := range pagesWithCommands(t) {
		for _, b := range blocks(t, page) {
			if b.language == "bash" || b.language == "shell" {
				t.Errorf("%s:%d: commands are in sh or console blocks", page, b.line)
			}
			if b.language != "sh" && b.language != "console" {
				continue
			}
			if b.notRun == "" {
				ran++
			}
			t.Run(fmt.Sprintf("%s:%d", strings.TrimPrefix(page, "../"), b.line), b.check)
		}
	}
	assert.Greater(t, ran, 10, "the pages have commands that are run")
}

func (b *fenced) check(t *testing.T) {
	t.Parallel()
	switch {
	case b.notRun != "":
		t.Skip("not run: " + b.notRun)
	case b.slow && testing.Short():
		t.Skip("it takes its time")
	case b.docker && testing.Short():
		t.Skip("containers are left out with -short")
	}
	dir, environ := b.prepared(t)
	for _, command := range b.before {
		out, code := shell(t, dir, environ, command)
		require.Zero(t, code, "%s: %s", command, out)
	}
	if b.language == "sh" {
		out, code := shell(t, dir, environ, b.text)
		assert.Equal(t, max(b.exitCode, 0), code, out)
		return
	}
	for _, step := range b.steps(t) {
		out, code := shell(t, dir, environ, step.command)
		assert.Regexp(t, pattern(step.output), normalized(out), "%s", step.command)
		if b.exitCode >= 0 {
			assert.Equal(t, b.exitCode, code)
		}
	}
}

// prepared is a directory with a copy of the shipped stack, and an environment in which
// "go run ./ci" is this very command.
func (b *fenced) prepared(t *testing.T) (dir string, environ []string) {
	t.Helper()
	if b.docker {
		prometheus, grafana := engine.Servers(t)
		require.NoError(t, engine.ExpectOnLoopback())
		environ = append(engine.Environ(), "PANELGATE_IMAGE_PROMETHEUS="+prometheus, "PANELGATE_IMAGE_GRAFANA="+grafana)
	}
	root := t.TempDir()
	dir = filepath.Join(root, "checkout")
	bin := filepath.Join(root, "bin")
	require.NoError(t, os.MkdirAll(bin, 0o755))
	require.NoError(t, copyStack(filepath.Join("..", "stack"), filepath.Join(dir, "stack")))
	exe, err := os.Executable()
	require.NoError(t, err)
	require.NoError(t, os.Symlink(exe, filepath.Join(bin, "panelgate"))) // what testscript runs under that name
	realGo, err := exec.LookPath("go")
	require.NoError(t, err)
	wrapper := "#!/bin/sh\nif [ \"$1 $2\" = \"run ./ci\" ]; then shift 2; exec panelgate \"$@\"; fi\nexec " + realGo + " \"$@\"\n"
	require.NoError(t, os.WriteFile(filepath.Join(bin, "go"), []byte(wrapper), 0o700)) //nolint:gosec // it is run
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		if !strings.HasPrefix(name, "PANELGATE_") && !strings.HasPrefix(name, "DAGGER_") && !strings.HasPrefix(name, "GITHUB_") && name != "PATH" {
			environ = append(environ, kv)
		}
	}
	return dir, append(environ, "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"), "NO_COLOR=1",
		"PANELGATE_CACHE_DIR="+filepath.Join(root, "cache"))
}

// shell runs commands and returns all that they say.
func shell(t *testing.T, dir string, environ []string, commands string) (said string, code int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-eu", "-c", commands)
	cmd.Dir, cmd.Env = dir, environ
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatalf("run %q: %v", commands, err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// step is a command of a console block and what it prints there.
type step struct{ command, output string }

func (b *fenced) steps(t *testing.T) []step {
	t.Helper()
	var out []step
	for line := range strings.Lines(b.text) {
		if command, ok := strings.CutPrefix(line, "$ "); ok {
			out = append(out, step{command: command})
			continue
		}
		require.NotEmpty(t, out, "%s:%d: a console block begins with a command", b.page, b.line)
		out[len(out)-1].output += line
	}
	return out
}

var volatile = []struct {
	what *regexp.Regexp
	word string
}{
	{regexp.MustCompile(`\b([0-9]+m)?[0-9]+(\.[0-9]+)?(ms|s)\b`), "TIME"},
	{regexp.MustCompile(`\b[0-9]{2}:[0-9]{2}:[0-9]{2}\b`), "CLOCK"},
	{regexp.MustCompile(`\b(127\.0\.0\.1|localhost):[3-6][0-9]{4}\b`), "PORT"},
	{regexp.MustCompile(`\b[0-9]\.[0-9]+e[+-][0-9]{2}\b`), "VALUE"},
	{regexp.MustCompile(`[ \t]+\n`), "\n"},
}

// normalized has words in the place of what is another one in each run.
func normalized(text string) string {
	text = strings.TrimRight(text, "\n") + "\n"
	for _, v := range volatile {
		text = v.what.ReplaceAllString(text, v.word)
	}
	return text
}

// pattern matches what a page shows: … stands for anything within its line, and on a
// line of its own for any lines.
func pattern(shown string) string {
	var b strings.Builder
	for line := range strings.Lines(normalized(shown)) {
		if strings.TrimSpace(line) == "…" {
			b.WriteString(`(.*\n)*?`)
			continue
		}
		b.WriteString(strings.ReplaceAll(regexp.QuoteMeta(line), "…", ".*"))
	}
	return `^` + b.String() + `$`
}

func TestWhatAPageMayLeaveOut(t *testing.T) {
	const said = "one  \ntwo (1.5s)\nthree\nfour\n"
	for shown, want := range map[string]bool{
		"one\ntwo (90ms)\nthree\nfour": true,
		"one\n…\nfour\n":               true,
		"…\nfour\n":                    true,
		"one\nt…\nthree\nfour\n":       true,
		"one\nt…\nfour\n":              false,
		"one\ntwo (1.5s)\nthree\n":     false,
		"one\n…\nfive\n":               false,
		"":                             false,
	} {
		assert.Equal(t, want, regexp.MustCompile(pattern(shown)).MatchString(normalized(said)), "%q", shown)
	}
}

// TestTheReadmesAreOne holds the translation to what it translates: the same headings
// at the same places, the same tables, and every block to the letter.
func TestTheReadmesAreOne(t *testing.T) {
	type outline struct {
		Shape  []string // the level of each heading, and the rows of each table
		Blocks []string
		Links  []string
	}
	link := regexp.MustCompile(`\]\(([^)#]+)[^)]*\)`)
	read := func(page string) outline {
		var out outline
		for _, b := range blocks(t, page) {
			out.Blocks = append(out.Blocks, b.language+"\n"+b.text)
		}
		data, err := os.ReadFile(page)
		require.NoError(t, err)
		inBlock := false
		for line := range strings.Lines(string(data)) {
			switch {
			case strings.HasPrefix(line, "```"):
				inBlock = !inBlock
			case inBlock:
			case strings.HasPrefix(line, "#"):
				out.Shape = append(out.Shape, strings.Repeat("#", strings.IndexFunc(line, func(r rune) bool { return r != '#' })))
			case strings.HasPrefix(line, "|"):
				out.Shape = append(out.Shape, strings.Repeat("|", strings.Count(line, "|")))
			}
			for _, m := range link.FindAllStringSubmatch(line, -1) {
				if !strings.HasPrefix(m[1], "README") {
					out.Links = append(out.Links, m[1])
				}
			}
		}
		slices.Sort(out.Links)
		return out
	}
	assert.Equal(t, read("../README.md"), read("../README.ko.md"))
	for page, other := range map[string]string{"../README.md": "(README.ko.md)", "../README.ko.md": "(README.md)"} {
		data, err := os.ReadFile(page)
		require.NoError(t, err)
		assert.Contains(t, string(data), other)
	}
}

// TestLinksOfTheDocs wants every page that a page links to.
func TestLinksOfTheDocs(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
	pages := append(pagesWithCommands(t), "../README.ko.md", "../CONTRIBUTING.md")
	decisions, err := filepath.Glob("../docs/decisions/*.md")
	require.NoError(t, err)
	for _, page := range append(pages, decisions...) {
		data, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, m := range link.FindAllStringSubmatch(withoutCode(string(data)), -1) {
			_, err := os.Stat(filepath.Join(filepath.Dir(page), m[1]))
			assert.NoError(t, err, "%s links to %s", page, m[1])
		}
	}
}

// TestTheIndexOfDecisions holds that each decision is listed, by the title that it has.
func TestTheIndexOfDecisions(t *testing.T) {
	index, err := os.ReadFile("../docs/decisions/README.md")
	require.NoError(t, err)
	pages, err := filepath.Glob("../docs/decisions/[0-9]*.md")
	require.NoError(t, err)
	var want strings.Builder
	for _, page := range pages {
		data, err := os.ReadFile(page)
		require.NoError(t, err)
		title, _, _ := strings.Cut(strings.TrimPrefix(string(data), "# "), "\n")
		number, title, _ := strings.Cut(title, ". ")
		assert.True(t, strings.HasPrefix(filepath.Base(page), fmt.Sprintf("%04s-", number)), page)
		fmt.Fprintf(&want, "%s. [%s](%s)\n", number, title, filepath.Base(page))
	}
	assert.Contains(t, string(index), "\n\n"+want.String(), "the list of decisions")
}

// withoutCode is a page without what stands in fences and backquotes.
func withoutCode(page string) string {
	page = regexp.MustCompile("(?ms)^ *```.*?^ *```").ReplaceAllString(page, "")
	return regexp.MustCompile("`[^`\n]*`").ReplaceAllString(page, "")
}
