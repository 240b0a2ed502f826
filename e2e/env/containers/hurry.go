package containers

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/panelgate/panelgate/stack"
)

// hurriedInterval is how often targets are scraped until each has been. All first
// scrapes fall within one interval of the start, so that nobody is scraped twice
// before the last has been scraped once.
const hurriedInterval = 500 * time.Millisecond

const reloadFlag = "scrape.discovery-reload-interval"

// hurry gives the container a copy of prometheus.yml in which only the intervals
// differ, and the flags by which the true one is put back once every target has
// been scraped. Where the command is no plain list of flags, all is left as it is.
func (r *run) hurry(sp *Spec, s *stack.Service, image Image) {
	p := r.stack.Prometheus
	if r.opts.AsConfigured {
		return
	}
	words := sp.Command
	if words == nil && sp.Entrypoint == nil {
		words = image.Command
	}
	if !plainFlags(sp.Entrypoint, words) {
		r.notef("the command of %s is a script: scrapes are not hurried", s.Name)
		return
	}
	live := map[string]bool{}
	for _, t := range r.past.Targets {
		live[t.Job] = live[t.Job] || t.AnsweredBy == liveTarget
	}
	// Relabelling may have given a live target the name of no job: it could be any.
	known := map[string]bool{}
	for _, j := range p.Jobs {
		known[j.Name.Value] = true
	}
	for job, is := range live {
		if is && !known[job] {
			r.logger.Info("scrapes are not hurried: a live target's job is not known", "job", job)
			return
		}
	}
	text, err := p.Hurried(hurriedInterval, func(job string) bool { return !live[job] })
	if err != nil {
		r.logger.Info("scrapes are not hurried", "why", err)
		return
	}
	if !sp.Files.replace(p.ContainerPath, text) {
		return // the file comes with the image
	}
	words = slices.Clone(words)
	if _, set := s.Flag("web.enable-lifecycle"); !set {
		words = append(words, "--web.enable-lifecycle")
	}
	if _, set := s.Flag(reloadFlag); !set && !r.plainDiscovery {
		words = append(words, "--"+reloadFlag+"=100ms")
	}
	sp.Command, r.hurried = words, true
}

// plainFlags says whether a command is Prometheus' own, to which a flag can be
// added.
func plainFlags(entrypoint, command []string) bool {
	if len(entrypoint) > 0 && !strings.Contains(path.Base(entrypoint[0]), "prometheus") {
		return false
	}
	return len(command) > 0 && strings.HasPrefix(command[0], "-")
}

// trustFakes lets Prometheus trust the certificates of fakes that it scrapes by
// https: beside the authorities that it knows, and in the files that jobs name.
func (r *run) trustFakes(sp *Spec) error {
	if r.authority == nil {
		return nil
	}
	const dir = "/etc/panelgate-authority"
	sp.Files.Add(path.Join(dir, "ca.pem"), r.authority.pem, 0o444)
	sp.Env["SSL_CERT_DIR"] = "/etc/ssl/certs:" + dir
	for _, name := range r.authorityFiles() {
		content, err := os.ReadFile(name.here)
		if err != nil {
			continue // the job is down in production too
		}
		sp.Files.replace(name.there, slices.Concat(content, []byte("\n"), r.authority.pem))
	}
	return nil
}

// caFile is a file of certificate authorities, on this machine and in the container.
type caFile struct{ here, there string }

// authorityFiles are those that prometheus.yml names.
func (r *run) authorityFiles() []caFile {
	var out []caFile
	p := r.stack.Prometheus
	for _, j := range p.Jobs {
		name := j.Node.At("tls_config", "ca_file").Str()
		if name == "" {
			continue
		}
		if !path.IsAbs(name) {
			name = path.Join(path.Dir(p.ContainerPath), name)
		}
		if here, ok := p.Service.HostPath(name); ok {
			out = append(out, caFile{here, name})
		}
	}
	return out
}

// blocks puts a directory of TSDB blocks where Prometheus keeps its own. Whoever it
// runs as may read, compact and delete them.
func (a *Archive) blocks(source, target string) error {
	a.Open(target)
	return filepath.WalkDir(source, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(source, file)
		if err != nil || rel == "." {
			return err
		}
		at := path.Join(target, filepath.ToSlash(rel))
		if d.IsDir() {
			a.Open(at)
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		*a = append(*a, entry{path: at, mode: 0o666, source: file, size: info.Size()})
		return nil
	})
}

// restore puts the true prometheus.yml in the place of the hurried one.
func (r *run) restored() Archive {
	p := r.stack.Prometheus
	var files Archive
	if err := files.Tree(p.Path, p.ContainerPath); err != nil {
		files.Add(p.ContainerPath, bytes.Clone(p.Content), 0o644)
	}
	return files
}

// notef takes down what a reader of the report should know.
func (r *run) notef(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.notes = append(r.notes, fmt.Sprintf(format, args...))
}
