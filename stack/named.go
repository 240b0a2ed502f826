package stack

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"

	"github.com/panelgate/panelgate/stack/dashboard"
)

// Named are the files on this machine that prometheus.yml names besides itself, in
// order: rules, discovered targets, credentials, further scrape configs and what these
// name. Those that are not there are left out.
func (p *Prometheus) Named() ([]string, error) {
	cfg, err := p.Config(slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", p.File, err)
	}
	jobs, err := cfg.GetScrapeConfigs()
	if err != nil {
		return nil, fmt.Errorf("read the jobs of %s: %w", p.File, err)
	}
	var out []string
	each := func(pattern string) {
		found, err := filepath.Glob(pattern)
		if err != nil || isFile(pattern) { // a name, which may look like a pattern
			found = append(found, pattern)
		}
		for _, file := range found {
			if isFile(file) {
				out = append(out, file)
			}
		}
	}
	namedIn(reflect.ValueOf(cfg), each)
	namedIn(reflect.ValueOf(jobs), each)
	slices.Sort(out)
	return slices.Compact(out), nil
}

// namedIn visits the file names of a configuration, which are found as remap finds them.
func namedIn(v reflect.Value, visit func(string)) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			namedIn(v.Elem(), visit)
		}
	case reflect.Slice:
		for i := range v.Len() {
			namedIn(v.Index(i), visit)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			namedIn(v.MapIndex(key), visit)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			switch {
			case !f.IsExported():
			case fileField.MatchString(f.Name):
				namesIn(v.Field(i), visit)
			default:
				namedIn(v.Field(i), visit)
			}
		}
	}
}

// namesIn visits the names that a field for files has.
func namesIn(v reflect.Value, visit func(string)) {
	switch v.Kind() {
	case reflect.String:
		if v.String() != "" {
			visit(v.String())
		}
	case reflect.Slice:
		for i := range v.Len() {
			namesIn(v.Index(i), visit)
		}
	}
}

// Sums are the SHA-256 of the dashboards' files, as they were read.
func (s *Stack) Sums() map[*dashboard.Dashboard][32]byte {
	out := map[*dashboard.Dashboard][32]byte{}
	for _, r := range s.read {
		out[r.dashboard] = r.sum
	}
	return out
}

// Besides are the parts of the model that dashboards are none of, by what a person
// would call them, for whoever compares two loads that are not in one process.
func (s *Stack) Besides() map[string]any {
	parts := s.besides()
	return map[string]any{
		"the compose file": parts[0], "prometheus.yml": parts[1], "Grafana's service": parts[2], "the datasources": parts[3],
		"the dashboard providers": parts[4], "Grafana's alerts": parts[5], "what cannot be read": parts[6],
	}
}

// mostContents is how much of a file is read by Contents.
const mostContents = 64 << 20

// Contents are what files hold, by name. One that is no regular file or of more than
// 64 MB is an error.
func Contents(files []string) (map[string][]byte, error) {
	out := map[string][]byte{}
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			return nil, fmt.Errorf("read what the stack names: %w", err)
		}
		if !info.Mode().IsRegular() || info.Size() > mostContents {
			return nil, fmt.Errorf("read what the stack names: %s is no regular file, or has more than %d bytes", file, mostContents)
		}
		if out[file], err = os.ReadFile(file); err != nil {
			return nil, fmt.Errorf("read what the stack names: %w", err)
		}
	}
	return out, nil
}
