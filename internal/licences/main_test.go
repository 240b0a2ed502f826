package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/internal/leak"
	"github.com/panelgate/panelgate/internal/material"
)

func TestMain(m *testing.M) { leak.Main(m) }

// TestWhatIsLinked holds everything that is linked to the licences that may be.
func TestWhatIsLinked(t *testing.T) {
	notices := filepath.Join(t.TempDir(), "notices")
	var out strings.Builder
	require.NoError(t, run(t.Context(), []string{"-dir", material.ModuleRoot(t), "-notices", notices}, &out))
	assert.Regexp(t, `(?m)^github\.com/prometheus/prometheus +v\S+ +Apache-2\.0`, out.String())
	assert.Regexp(t, `(?m)uPlot\.iife\.min\.js +embedded +MIT$`, out.String())
	text, err := os.ReadFile(notices)
	require.NoError(t, err)
	assert.Contains(t, string(text), "Leon Sorokin", "who wrote uPlot is named")
	assert.Contains(t, string(text), "github.com/prometheus/prometheus v0.315.0, NOTICE")
}

// The terms of a module as its licence file has them.
const (
	gpl = `This program is free software: you can redistribute it and/or modify
it under the terms of the GNU General Public License as published by
the Free Software Foundation, either version 3 of the License, or
(at your option) any later version.

This program is distributed in the hope that it will be useful,
but WITHOUT ANY WARRANTY; without even the implied warranty of
MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE.  See the
GNU General Public License for more details.

You should have received a copy of the GNU General Public License
along with this program.  If not, see <https://www.gnu.org/licenses/>.
`
	isc = `Copyright (c) 2026 Somebody

Permission to use, copy, modify, and/or distribute this software for any
purpose with or without fee is hereby granted, provided that the above
copyright notice and this permission notice appear in all copies.

THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES
WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF
MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR
ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES
WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN
ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF
OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.
`
)

// program is a module with a command that links another module, which has some files
// besides its code.
func program(t *testing.T, linked map[string]string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	files := map[string]string{
		"go.mod":     "module example.com/program\n\ngo 1.26\n\nrequire example.com/linked v1.0.0\n\nreplace example.com/linked => ./linked\n",
		"ci/main.go": "package main\n\nimport _ \"example.com/linked/inner\"\n\nfunc main() {}\n", "fakes/cmd/fakes/main.go": "package main\n\nfunc main() {}\n",
		"linked/go.mod": "module example.com/linked\n\ngo 1.26\n", "linked/inner/inner.go": "package inner\n",
	}
	for name, text := range linked {
		files["linked/"+name] = text
	}
	for name, text := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	}
	return dir
}

func TestWhatMayNotBeLinked(t *testing.T) {
	for name, c := range map[string]struct {
		linked map[string]string
		want   string // in the error, "" for none
	}{
		"permissive":                    {map[string]string{"LICENSE": isc}, ""},
		"copyleft":                      {map[string]string{"LICENSE": gpl}, "example.com/linked: it is under GPL-3.0-or-later, by "},
		"copyleft, in British":          {map[string]string{"LICENCE.md": gpl}, "it is under GPL-3.0-or-later"},
		"copyleft beside a permissive":  {map[string]string{"LICENSE": isc, "COPYING": gpl}, "COPYING: that is not among the licences"},
		"copied into a package":         {map[string]string{"LICENSE": isc, "inner/LICENSE": gpl}, "it is under GPL-3.0-or-later"},
		"in a package that is not used": {map[string]string{"LICENSE": isc, "other/LICENSE": gpl}, ""},
		"none":                          {nil, "example.com/linked: no licence is found in it"},
		"a notice is none":              {map[string]string{"NOTICE": isc}, "no licence is found in it"},
		"unheard of":                    {map[string]string{"LICENSE": "Do as you please, on Tuesdays."}, "is not recognised"},
		"a permissive one with more":    {map[string]string{"LICENSE": isc + strings.Repeat("You also owe the author a cow and a calf. ", 40)}, "is not recognised"},
	} {
		t.Run(name, func(t *testing.T) {
			err := run(t.Context(), []string{"-dir", program(t, c.linked)}, io.Discard)
			if c.want == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, c.want)
			}
		})
	}
}

func TestEmbeddedScriptsNeedTheirTerms(t *testing.T) {
	dir := program(t, map[string]string{"LICENSE": isc})
	require.NoError(t, os.WriteFile(filepath.Join(dir, "ci", "chart.min.js"), []byte("x"), 0o600))
	require.ErrorContains(t, run(t.Context(), []string{"-dir", dir}, io.Discard), "chart.min.js: no licence is found in it")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "ci", "chart.LICENSE"), []byte(isc), 0o600))
	require.NoError(t, run(t.Context(), []string{"-dir", dir}, io.Discard))
}
