package stack

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/discovery/file"

	"github.com/panelgate/panelgate/stack/source"
)

// Config is the file as Prometheus itself understands it, with the paths in it
// (rule files, discovery files, credentials) pointing at this machine. A path
// that no mount leads to points at nothing. Each call parses anew, because
// Prometheus's packages write to what they are given.
func (p *Prometheus) Config(logger *slog.Logger) (*config.Config, error) {
	var cfg *config.Config
	err := guard("prometheus", func() (err error) {
		if cfg, err = config.Load(string(p.Content), logger); err != nil {
			return err
		}
		cfg.SetDirectory(path.Dir(p.ContainerPath))
		p.remap(reflect.ValueOf(cfg))
		return nil
	})
	return cfg, err
}

// remap rewrites every file name in a configuration. The fields are found by
// what Prometheus calls them, so that an authentication method that it learns
// tomorrow is covered too.
func (p *Prometheus) remap(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			p.remap(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			p.remap(v.Index(i))
		}
	case reflect.Map:
		for _, key := range v.MapKeys() { // values of maps (HTTP headers) cannot be set in place
			value := reflect.New(v.Type().Elem()).Elem()
			value.Set(v.MapIndex(key))
			p.remap(value)
			v.SetMapIndex(key, value)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				p.remapField(f.Name, v.Field(i))
			}
		}
	}
}

var fileField = regexp.MustCompile(`(?:^|[a-z]|CA)Files?$`)

func (p *Prometheus) remapField(name string, v reflect.Value) {
	if !fileField.MatchString(name) {
		p.remap(v)
		return
	}
	switch v.Kind() {
	case reflect.String:
		if v.String() != "" {
			v.SetString(p.hostPattern(v.String()))
		}
	case reflect.Slice:
		for i := range v.Len() {
			if s := v.Index(i); s.Kind() == reflect.String && s.String() != "" {
				s.SetString(p.hostPattern(s.String()))
			}
		}
	}
}

// hostPattern is a path of the container, whose last part may be a glob, on this
// machine. What no mount brings maps below a directory that does not exist:
// left as it is, it could name a file of this machine that has nothing to do
// with the stack.
func (p *Prometheus) hostPattern(containerPath string) string {
	if !path.IsAbs(containerPath) {
		containerPath = path.Join(path.Dir(p.ContainerPath), containerPath)
	}
	if host, ok := p.paths.HostPath(containerPath); ok && !strings.ContainsAny(containerPath, `*?[\`) {
		return host
	}
	dir, ok := p.paths.HostPath(path.Dir(containerPath))
	if !ok {
		return filepath.Join(escapeGlob(p.unmapped), containerPath)
	}
	return filepath.Join(escapeGlob(dir), path.Base(containerPath))
}

var globMeta = regexp.MustCompile(`[*?[\\]`)

func escapeGlob(p string) string { return globMeta.ReplaceAllString(p, `\$0`) }

// readPrometheus fills p from its file.
func (l *loader) readPrometheus(ctx context.Context, p *Prometheus) {
	if err := l.readPrometheusYAML(p); err != nil {
		l.report(AreaPrometheus, p.File, err)
		return
	}
	cfg, err := p.Config(slog.New(slog.DiscardHandler))
	if err != nil {
		l.reportPrometheus(p, err)
		return
	}
	p.ScrapeInterval = time.Duration(cfg.GlobalConfig.ScrapeInterval)
	p.EvalInterval = time.Duration(cfg.GlobalConfig.EvaluationInterval)
	l.readRuleFiles(ctx, p, cfg)
	if ctx.Err() == nil {
		l.readJobs(p, cfg)
	}
}

// readPrometheusYAML fills in the tree, and the content that is a file's.
func (l *loader) readPrometheusYAML(p *Prometheus) (err error) {
	if !p.Inline {
		p.Node, p.Content, err = l.readYAML(p.Path)
		return err
	}
	docs, err := source.ParseYAMLAt(p.origin, p.Content, l.limits)
	if err == nil && len(docs) > 0 {
		p.Node = docs[0]
	}
	return err
}

func (l *loader) readJobs(p *Prometheus, cfg *config.Config) {
	nodes := p.Node.Get("scrape_configs").Items()
	extra, ok := l.scrapeConfigFiles(p, cfg)
	nodes = append(nodes, extra...)
	jobs := cfg.ScrapeConfigs
	if ok {
		all, err := cfg.GetScrapeConfigs()
		if err != nil {
			l.reportPrometheus(p, err)
		} else {
			jobs = all
		}
	}
	byName := map[string]*source.Node{}
	for _, n := range nodes {
		byName[n.Get("job_name").Scalar()] = n
	}
	for _, sc := range jobs {
		p.Jobs = append(p.Jobs, l.job(sc, byName[sc.JobName]))
	}
}

// scrapeConfigFiles are the jobs of scrape_config_files; ok is false where one
// of the files cannot be read, which is reported.
func (l *loader) scrapeConfigFiles(p *Prometheus, cfg *config.Config) (nodes []*source.Node, ok bool) {
	for _, pattern := range cfg.ScrapeConfigFiles {
		matches, err := filepath.Glob(pattern)
		if err != nil {
			l.problem(AreaPrometheus, p.Node.Get("scrape_config_files").Pos(), "scrape_config_files: %s", err)
			return nil, false
		}
		for _, m := range matches {
			root, _, err := l.readYAML(m)
			if err != nil {
				l.report(AreaPrometheus, l.rel(m), err)
				return nil, false
			}
			nodes = append(nodes, root.Get("scrape_configs").Items()...)
		}
	}
	return nodes, true
}

func (l *loader) job(sc *config.ScrapeConfig, n *source.Node) *Job {
	j := &Job{
		Name:           n.Get("job_name").Text(),
		ScrapeInterval: time.Duration(sc.ScrapeInterval),
		ScrapeTimeout:  time.Duration(sc.ScrapeTimeout),
		MetricsPath:    sc.MetricsPath,
		Scheme:         sc.Scheme,
		Pos:            n.Pos(),
		Node:           n,
	}
	j.Targets = groupTargets(n.Get("static_configs"), "static")
	for _, sd := range sc.ServiceDiscoveryConfigs {
		if sd.Name() == "static" {
			continue
		}
		j.Discoveries = append(j.Discoveries, sd.Name())
		if f, ok := sd.(*file.SDConfig); ok {
			j.Targets = append(j.Targets, l.fileTargets(f)...)
		}
	}
	return j
}

// groupTargets are the addresses of a list of target groups.
func groupTargets(groups *source.Node, mechanism string) []Target {
	var out []Target
	for _, group := range groups.Items() {
		for _, t := range group.Get("targets").Items() {
			out = append(out, Target{Address: t.Text(), Discovery: mechanism})
		}
	}
	return out
}

// fileTargets reads the files of a file_sd_configs section. That none is there
// is no problem: they are often written while Prometheus runs.
func (l *loader) fileTargets(sd *file.SDConfig) []Target {
	var out []Target
	for _, pattern := range sd.Files {
		matches, err := filepath.Glob(pattern)
		if err != nil {
			l.problem(AreaPrometheus, source.Pos{File: l.stack.Prometheus.File}, "file_sd_configs: %s", err)
			continue
		}
		for _, m := range matches {
			groups, err := l.readGroups(m)
			if err != nil {
				l.report(AreaPrometheus, l.rel(m), err)
				continue
			}
			out = append(out, groupTargets(groups, "file")...)
		}
	}
	return out
}

// readGroups reads a file of target groups as strictly as Prometheus does, which
// passes a file over that has anything else in it.
func (l *loader) readGroups(path string) (*source.Node, error) {
	data, err := l.read(path)
	if err != nil {
		return nil, err
	}
	var root *source.Node
	if strings.HasSuffix(path, ".json") {
		root, err = source.ParseJSON(l.rel(path), data, l.limits)
	} else {
		root, _, err = l.readYAML(path)
	}
	if err != nil {
		return nil, err
	}
	refuse := func(pos source.Pos, format string, args ...any) error {
		return &source.Problem{Pos: pos, Message: "Prometheus passes the whole file over: " + fmt.Sprintf(format, args...)}
	}
	if root.Exists() && root.Kind() != source.Array {
		return nil, refuse(root.Pos(), "want a list of target groups, found %s", root.Kind())
	}
	for _, group := range root.Items() {
		for _, f := range group.Fields() {
			if f.Key != "targets" && f.Key != "labels" {
				return nil, refuse(f.KeyPos(), "a target group has targets and labels, not %q", f.Key)
			}
		}
		for _, label := range group.Get("labels").Fields() {
			if strings.HasSuffix(path, ".json") && label.Value.Kind() != source.String {
				return nil, refuse(label.Value.Pos(), "label %q is %s, not a string", label.Key, label.Value.Kind())
			}
		}
	}
	return root, nil
}

var (
	yamlErrorLine = regexp.MustCompile(`line (\d+): ([^\n]+)`)
	quoted        = regexp.MustCompile(`"([^"]+)"`)
)

// reportPrometheus finds the place that an error of Prometheus speaks of: a line
// that it names, else a value that it quotes.
func (l *loader) reportPrometheus(p *Prometheus, err error) {
	msg := l.anonymous(err.Error())
	if lines := yamlErrorLine.FindAllStringSubmatch(msg, -1); lines != nil {
		for _, m := range lines {
			n, convErr := strconv.Atoi(m[1])
			if convErr != nil {
				n = 0
			}
			l.problem(AreaPrometheus, p.origin.At(n, firstColumn(p.Content, n)), "Prometheus refuses it: %s", m[2])
		}
		return
	}
	pos := p.origin.At(1, 1)
	for _, m := range quoted.FindAllStringSubmatch(msg, -1) {
		if n := lastScalar(p.Node, func(text string) bool { return text == m[1] }); n.Exists() {
			pos = n.Pos()
		}
	}
	l.problem(AreaPrometheus, pos, "Prometheus refuses it: %s", msg)
}

// lastScalar is the last value in the tree that is meant: of two that clash, the
// second is the one too many.
func lastScalar(n *source.Node, meant func(text string) bool) *source.Node {
	var found *source.Node
	if text := n.Scalar(); text != "" && meant(text) {
		found = n
	}
	for _, item := range n.Items() {
		if f := lastScalar(item, meant); f.Exists() {
			found = f
		}
	}
	for _, field := range n.Fields() {
		if f := lastScalar(field.Value, meant); f.Exists() {
			found = f
		}
	}
	return found
}

// firstColumn is where the text of a line begins, 0 for a line that is not there.
func firstColumn(content []byte, line int) int {
	lines := bytes.Split(content, []byte("\n"))
	if line < 1 || line > len(lines) {
		return 0
	}
	text := lines[line-1]
	return len(text) - len(bytes.TrimLeft(text, " \t-")) + 1
}
