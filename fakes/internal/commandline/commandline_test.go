package commandline

import (
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestArguments(t *testing.T) {
	isName := func(word string) bool { return path.Base(word) == "exporter" }
	for name, tc := range map[string]struct {
		command []string
		want    []string
		named   bool
	}{
		"nothing":                   {},
		"its arguments alone":       {[]string{"--a", "b c"}, []string{"--a", "b c"}, false},
		"its name":                  {[]string{"exporter"}, []string{}, true},
		"behind its name":           {[]string{"/bin/exporter", "--a=b c"}, []string{"--a=b c"}, true},
		"behind an init":            {[]string{"tini", "-g", "--", "exporter", "-a"}, []string{"-a"}, true},
		"a module of Python":        {[]string{"python3", "-m", "exporter", "-a"}, []string{"-a"}, true},
		"a flag's value":            {[]string{"--name", "exporter", "--dir=/x/exporter"}, []string{"--name", "exporter", "--dir=/x/exporter"}, false},
		"a script":                  {[]string{"sh", "-c", "exec exporter --a 'b c' \"d\\\"e\" f\\ g"}, []string{"--a", "b c", "d\"e", "f g"}, true},
		"a script without a shell":  {[]string{"-c", "exporter --a"}, []string{"--a"}, true},
		"among other commands":      {[]string{"bash", "-ec", "mkdir x && exporter --a=1 >/log 2>&1 & wait"}, []string{"--a=1"}, true},
		"on several lines":          {[]string{"sh", "-c", "# the exporter\nset -e\nexporter \\\n  --a \\\n  --b\n"}, []string{"--a", "--b"}, true},
		"below an if":               {[]string{"sh", "-c", "if true; then exporter --a; fi"}, []string{"--a"}, true},
		"what only a shell knows":   {[]string{"sh", "-c", `exporter --a=$A "--b=x $(hostname) \$" {1..1000000000}`}, []string{"--a=$A", "--b=x $(hostname) $", "{1..1000000000}"}, true},
		"a script that names none":  {[]string{"sh", "-c", "/start.sh --a"}, nil, false},
		"a sentence with one quote": {[]string{"it's a title", "--a"}, []string{"it's a title", "--a"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			args, named, err := Arguments(tc.command, isName)
			require.NoError(t, err)
			assert.Equal(t, tc.want, args)
			assert.Equal(t, tc.named, named)
		})
	}
	_, _, err := Arguments([]string{"sh", "-c", "exporter --a 'b"}, isName)
	require.ErrorContains(t, err, `the script "exporter --a 'b": 1:14: reached EOF without closing quote`)
}

func TestNestingIsNoDanger(t *testing.T) {
	isName := func(word string) bool { return word == "exporter" }
	for _, open := range []string{"(", "$(", "\"$(", "if "} {
		_, _, err := Arguments([]string{"exporter ; " + strings.Repeat(open, (longest-10)/len(open))}, isName)
		require.Error(t, err, open)
	}
	_, _, err := Arguments([]string{"exporter " + strings.Repeat("a", longest)}, isName)
	require.ErrorContains(t, err, "more than the 65536 that are read")
}

func FuzzArguments(f *testing.F) {
	for _, script := range []string{"exporter --a", "a; exporter \"$(b)\"", "exporter <<X\nX\n", "'"} {
		f.Add(script)
	}
	f.Fuzz(func(t *testing.T, script string) {
		args, named, err := Arguments([]string{"sh", "-c", script}, func(word string) bool { return word == "exporter" })
		if err != nil || !named {
			return
		}
		assert.NotNil(t, args)
	})
}
