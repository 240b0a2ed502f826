package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/google/licensecheck"
)

// part is a module that is linked, or a file of somebody else's that is embedded.
type part struct {
	module, version string
	licences        []licence
}

// licence is one file of terms.
type licence struct {
	file    string // where it is on this machine
	name    string // within its module
	text    string
	notice  bool     // it names who is to be named, and gives no terms
	ids     []string // SPDX, none where nothing was recognised
	covered float64  // per cent of the text that was
}

// terms are the licences that are taken, by SPDX id, and those that single modules may have.
type terms struct {
	ids    []string
	except map[string]string // id by module
	read   []string          // files that were read by a person: they only point to others
}

// linkable is what may be linked: what asks for no more than to be named.
func linkable() terms {
	return terms{
		ids: []string{"Apache-2.0", "MIT", "BSD-2-Clause", "BSD-3-Clause", "ISC", "0BSD", "Unlicense", "CC0-1.0", "Zlib"},
		except: map[string]string{
			// Copyleft of its own files alone, which are linked unchanged. Prometheus' API
			// brings it, by way of the feature gates of OpenTelemetry's collector: it cannot
			// be left out; see decision 0040.
			"github.com/hashicorp/go-version": "MPL-2.0",
		},
	}
}

// runnable is what a tool may have that is run here and handed to nobody.
func runnable() terms {
	t := linkable()
	t.ids = append(t.ids, "MPL-2.0", "GPL-3.0", "GPL-3.0-only", "GPL-3.0-or-later", "LGPL-3.0", "BlueOak-1.0.0")
	t.except["github.com/alecthomas/chroma/v2"] = "OFL-1.1" // of a font in its documents
	// It says in words of its own: the Unlicense or MIT, whose texts lie beside it.
	t.read = []string{"github.com/alecthomas/go-check-sumtype/COPYING"}
	return t
}

// listed is what `go list` tells of a package.
type listed struct {
	Dir    string
	Module *struct {
		Path, Version, Dir string
		Main               bool
		Replace            *struct{ Path, Version, Dir string }
	}
}

// dependencies are the packages of others that are compiled for what the arguments of
// `go list` name.
func dependencies(ctx context.Context, dir string, args ...string) ([]listed, error) {
	cmd := exec.CommandContext(ctx, "go", append([]string{"list", "-deps", "-json=Dir,Module"}, args...)...)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("list what %s depends on: %w\n%s", strings.Join(args, " "), err, stderr.String())
	}
	var found []listed
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var one listed
		switch err := decoder.Decode(&one); {
		case errors.Is(err, io.EOF):
			return found, nil
		case err != nil:
			return nil, fmt.Errorf("read what `go list` says: %w", err)
		}
		if one.Module != nil && !one.Module.Main { // the standard library has no module
			found = append(found, one)
		}
	}
}

// read finds the terms of each module, sorted by its path: those at its root, and those in
// the directories of its packages that are linked, where code was taken from elsewhere.
func read(packages []listed) ([]part, error) {
	parts := map[string]*part{}
	seen := map[string]bool{}
	for _, p := range packages {
		m := p.Module
		one := parts[m.Path]
		if one == nil {
			one = &part{module: m.Path, version: m.Version}
			parts[m.Path] = one
		}
		root := m.Dir
		if m.Replace != nil {
			root = m.Replace.Dir
		}
		for dir := p.Dir; !seen[dir]; dir = filepath.Dir(dir) {
			seen[dir] = true
			found, err := termsIn(root, dir)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", m.Path, err)
			}
			one.licences = append(one.licences, found...)
			if dir == root || !strings.HasPrefix(dir, root) {
				break
			}
		}
	}
	var out []part
	for _, p := range parts {
		out = append(out, *p)
	}
	slices.SortFunc(out, func(a, b part) int { return strings.Compare(a.module, b.module) })
	return out, nil
}

var (
	// termsFile is a file of terms; LICENSE.docs would be those of documents.
	termsFile  = regexp.MustCompile(`(?i)^(un)?(licen[sc]e|copying)([-.](txt|md|rst|libyaml|mit|apache|bsd|\w+-?[\d.]*))?$`)
	noTerms    = regexp.MustCompile(`(?i)\.(docs|go|header|tmpl|json|ya?ml)$`)
	noticeFile = regexp.MustCompile(`(?i)^notice(\.(txt|md))?$`)
)

// termsIn are the licences and notices in a directory of the module at root.
func termsIn(root, dir string) ([]licence, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var out []licence
	for _, e := range entries {
		notice := noticeFile.MatchString(e.Name())
		if e.IsDir() || !notice && (!termsFile.MatchString(e.Name()) || noTerms.MatchString(e.Name())) {
			continue
		}
		l, err := readTerms(root, filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		if l.notice = notice; notice {
			l.ids = nil
		}
		out = append(out, l)
	}
	return out, nil
}

func readTerms(root, file string) (licence, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return licence{}, err
	}
	name, err := filepath.Rel(root, file)
	if err != nil {
		return licence{}, err
	}
	coverage := licensecheck.Scan(data)
	l := licence{file: file, name: filepath.ToSlash(name), text: string(data), covered: coverage.Percent}
	for _, m := range coverage.Match {
		if !slices.Contains(l.ids, m.ID) {
			l.ids = append(l.ids, m.ID)
		}
	}
	return l, nil
}

// embedded are the scripts and styles of others that the command carries: each .min.js
// has its terms beside it, as uPlot.LICENSE for uPlot.iife.min.js.
func embedded(dir string) ([]part, error) {
	var out []part
	err := filepath.WalkDir(filepath.Join(dir, "ci"), func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(d.Name(), ".min.js") {
			return err
		}
		product, _, _ := strings.Cut(d.Name(), ".")
		p := part{module: file, version: "embedded"}
		l, err := readTerms(filepath.Dir(file), filepath.Join(filepath.Dir(file), product+".LICENSE"))
		if err == nil {
			p.licences = []licence{l}
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		out = append(out, p)
		return nil
	})
	return out, err
}

// ids are the licences of a part, each once.
func (p part) ids() []string {
	var out []string
	for _, l := range p.licences {
		out = append(out, l.ids...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// recognised is how much of a text has to be that of known licences, in per cent: less
// than all, since names and years stand beside the terms.
const recognised = 70

// problem says what keeps a part from being taken, nil where nothing does.
func (p part) problem(allowed terms) error {
	var wrong []error
	has := false
	for _, l := range p.licences {
		if l.notice || slices.Contains(allowed.read, p.module+"/"+l.name) {
			continue
		}
		has = true
		switch {
		case len(l.ids) == 0 || l.covered < recognised:
			wrong = append(wrong, fmt.Errorf("%s: the licence in %s is not recognised (%.0f %% of it are, as %q): read it, and decide", p.module, l.file, l.covered, l.ids))
		default:
			for _, id := range l.ids {
				if !slices.Contains(allowed.ids, id) && allowed.except[p.module] != id {
					wrong = append(wrong, fmt.Errorf("%s: it is under %s, by %s: that is not among the licences that may be used", p.module, id, l.file))
				}
			}
		}
	}
	if !has {
		wrong = append(wrong, fmt.Errorf("%s: no licence is found in it: without one it may not be used", p.module))
	}
	return errors.Join(wrong...)
}
