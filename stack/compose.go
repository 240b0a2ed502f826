package stack

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/dotenv"
	composeloader "github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/template"
	"github.com/compose-spec/compose-go/v2/types"

	"github.com/panelgate/panelgate/stack/source"
)

// loadCompose reads the compose project of the stack's directory. Without a
// compose file the stack has none, which is no problem by itself.
func (l *loader) loadCompose(ctx context.Context) {
	env := l.composeEnv()
	files := l.composeFiles(env)
	if len(files) == 0 {
		return
	}
	l.stack.Compose = &Compose{File: l.rel(files[0])}
	c := &composeReader{loader: l, env: env}
	if data, err := l.read(filepath.Join(l.stack.Dir, ".env")); err == nil { // else it has been reported, or is not there
		l.variables(data)
	}
	var configs []types.ConfigFile
	for _, path := range files {
		// Our own parser goes first: it is bounded and knows positions.
		root, data, err := l.readYAML(path)
		if err != nil {
			l.report(AreaCompose, l.rel(path), err)
			return
		}
		c.roots = append(c.roots, root)
		l.variables(data)
		configs = append(configs, types.ConfigFile{Filename: path, Content: withoutVersion(root, data)})
	}
	project := c.project(ctx, configs)
	if project == nil {
		return
	}
	c.model = project
	for _, name := range c.order(project) {
		l.stack.Compose.Services = append(l.stack.Compose.Services, c.service(project.Services[name]))
	}
	l.addMountedRoots()
}

// variables takes down which variables a file names.
func (l *loader) variables(data []byte) {
	for _, m := range variable.FindAllSubmatch(data, -1) {
		if name := string(m[1]); !slices.Contains(l.stack.Compose.Variables, name) {
			l.stack.Compose.Variables = append(l.stack.Compose.Variables, name)
		}
	}
}

// variable is a variable's name where compose would put its value, $$ or not.
var variable = regexp.MustCompile(`\$\{?([A-Za-z_][A-Za-z0-9_]*)`)

// composeFiles are the files that compose would read, overrides last. A
// COMPOSE_FILE in .env belongs to the stack; one in the environment of this
// process speaks of some other project.
func (l *loader) composeFiles(env types.Mapping) []string {
	if named := env["COMPOSE_FILE"]; named != "" && os.Getenv("COMPOSE_FILE") == "" {
		var files []string
		for _, f := range strings.Split(named, string(os.PathListSeparator)) {
			if !filepath.IsAbs(f) {
				f = filepath.Join(l.stack.Dir, f)
			}
			files = append(files, f)
		}
		return files
	}
	var files []string
	for _, names := range [][]string{cli.DefaultFileNames, cli.DefaultOverrideFileNames} {
		for _, name := range names {
			path := filepath.Join(l.stack.Dir, name)
			if _, err := os.Lstat(path); err == nil {
				files = append(files, path)
				break
			}
		}
		if len(files) == 0 {
			break // an override alone is not read
		}
	}
	return files
}

// composeEnv is what variables of the compose file are replaced from: the .env
// file beside it, and the environment of this process, which wins.
func (l *loader) composeEnv() types.Mapping {
	env := types.Mapping{}
	path := filepath.Join(l.stack.Dir, ".env")
	if _, err := os.Lstat(path); err == nil {
		data, err := l.read(path)
		if err == nil {
			env, err = dotenv.ParseWithLookup(bytes.NewReader(data), os.LookupEnv)
		}
		if err != nil {
			l.report(AreaCompose, ".env", err)
			env = types.Mapping{}
		}
	}
	for _, kv := range os.Environ() {
		if k, v, ok := strings.Cut(kv, "="); ok {
			env[k] = v
		}
	}
	return env
}

// withoutVersion comments out the obsolete top-level "version", about which
// compose-go would write a warning to the terminal.
func withoutVersion(root *source.Node, data []byte) []byte {
	v := root.Get("version")
	for _, f := range root.Fields() {
		if f.Key != "version" || f.KeyPos().Column != 1 || v.Pos().Line != f.KeyPos().Line {
			continue
		}
		lines := bytes.SplitAfter(data, []byte("\n"))
		lines[f.KeyPos().Line-1] = append([]byte("#"), lines[f.KeyPos().Line-1]...)
		return bytes.Join(lines, nil)
	}
	return data
}

// composeReader turns compose-go's project into services with positions.
type composeReader struct {
	*loader
	env   types.Mapping
	roots []*source.Node // of the compose files, overrides last
	model *types.Project
}

// project is compose-go's reading of the files, all profiles on. Where the files
// contradict themselves it is reported, and read once more without those checks
// so that the other rules still see the services.
func (c *composeReader) project(ctx context.Context, configs []types.ConfigFile) *types.Project {
	project, err := c.load(ctx, configs, false)
	if err == nil {
		return project
	}
	if ctx.Err() != nil {
		return nil
	}
	c.reportCompose(err)
	if project, err = c.load(ctx, configs, true); err != nil {
		return nil // the same error again, or what follows from it
	}
	return project
}

func (c *composeReader) load(ctx context.Context, configs []types.ConfigFile, lenient bool) (project *types.Project, err error) {
	name := composeloader.NormalizeProjectName(filepath.Base(c.stack.Dir))
	if name == "" {
		name = "stack"
	}
	details := types.ConfigDetails{WorkingDir: c.stack.Dir, ConfigFiles: configs, Environment: c.env}
	err = guard("compose-go", func() error {
		project, err = composeloader.LoadWithContext(ctx, details, composeloader.WithProfiles([]string{"*"}), func(o *composeloader.Options) {
			o.SetProjectName(name, true)
			o.SkipResolveEnvironment = true // env_file is read by us, within limits
			o.SkipResolveLabels = true
			o.SkipConsistencyCheck = lenient
			o.SkipValidation = lenient
			o.ResourceLoaders = append(o.ResourceLoaders, refusing{c})
			o.Interpolate.Substitute = func(s string, m template.Mapping) (string, error) {
				return template.SubstituteWithOptions(s, m, template.WithoutLogging)
			}
		})
		return err
	})
	return project, err
}

// refusing takes over the files of "include" and "extends" that our own reader
// refuses, so that compose-go never opens them.
type refusing struct{ *composeReader }

func (r refusing) check(path string) error {
	read := r.read
	if !filepath.IsAbs(path) {
		read = r.readAnywhere // kept beside the stack, as in a repository of several
		path = filepath.Join(r.stack.Dir, path)
	}
	if _, err := os.Lstat(path); err != nil || isDir(path) {
		return nil //nolint:nilerr // compose-go says better what is missing
	}
	data, err := read(path)
	if err == nil {
		_, err = source.ParseYAML(r.rel(path), data, r.limits)
	}
	return err
}

// Accept implements composeloader.ResourceLoader.
func (r refusing) Accept(path string) bool { return r.check(path) != nil }

// Load implements composeloader.ResourceLoader.
func (r refusing) Load(_ context.Context, path string) (string, error) {
	return "", fmt.Errorf("read %s: %w", r.rel(path), r.check(path))
}

// Dir implements composeloader.ResourceLoader.
func (r refusing) Dir(path string) string { return filepath.Dir(path) }

// addMountedRoots lets files be read from directories outside of the stack's
// own that the compose file mounts by a relative path: they are kept beside it.
func (l *loader) addMountedRoots() {
	for _, s := range l.stack.Compose.Services {
		for _, m := range s.Mounts {
			if !m.Relative {
				continue
			}
			if resolved, err := filepath.EvalSymlinks(m.Source); err == nil {
				l.roots = append(l.roots, resolved)
			}
		}
	}
}
