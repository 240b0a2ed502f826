package config

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/panelgate/panelgate/e2e/exporter"
	"github.com/panelgate/panelgate/e2e/nearest"
	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/standard"
	"github.com/panelgate/panelgate/stack/source"
)

// Replay is the kind of exporter that plays back a recording.
const Replay = "replay"

func (c *Config) target(n *source.Node) error {
	if err := keys(n, "match", "fake", "replay", "live", "version", "args", "env", "hostname", "collectors", "files"); err != nil {
		return err
	}
	t := Target{Match: map[string]string{}, Fake: n.Get("fake").Str(), Live: n.Get("live").Bool(), Pos: n.Pos()}
	match := n.Get("match")
	if err := keys(match, "job", "instance", "address"); err != nil {
		return err
	}
	for _, f := range match.Fields() {
		if f.Value.Scalar() == "" {
			return at(f.Value, "want the %s to match", f.Key)
		}
		t.Match[f.Key] = f.Value.Scalar()
	}
	replay := n.Get("replay")
	answers := 0
	for _, said := range []bool{t.Live, t.Fake != "", replay.Exists()} {
		if said {
			answers++
		}
	}
	switch {
	case len(t.Match) == 0:
		return at(n, "a target needs match: {job: …}, {instance: …} or {address: …}")
	case answers != 1:
		return at(n, "a target is answered by either fake: NAME, replay: FILE or live: true")
	case t.Fake != "" && !slices.Contains(standard.Names(), t.Fake):
		return at(n.Get("fake"), "no exporter is called %q%s (there are %s)", t.Fake,
			nearest.Hint(t.Fake, standard.Names()), strings.Join(standard.Names(), ", "))
	}
	var err error
	switch {
	case replay.Exists():
		t.Fake = Replay
		t.Setup, err = c.recorded(n)
	default:
		t.Setup, err = c.setup(n, t)
	}
	if err != nil {
		return err
	}
	c.Targets = append(c.Targets, t)
	return nil
}

// settings are the keys of a target that say how its fake is set up.
func settings() []string {
	return []string{"version", "args", "env", "hostname", "collectors", "files"}
}

// unset refuses settings where there is nothing to set up.
func unset(n *source.Node, who string) error {
	for _, key := range settings() {
		if v := n.Get(key); v.Exists() {
			return at(v, "%s says how a fake is set up: %s is as it is", key, who)
		}
	}
	return nil
}

// recorded is the setup of a target that is answered from a recording.
func (c *Config) recorded(n *source.Node) (fakes.Setup, error) {
	if err := unset(n, "a recording"); err != nil {
		return fakes.Setup{}, err
	}
	const most = 256 << 20
	content, err := c.beside(n.Get("replay"), most)
	if err != nil {
		return fakes.Setup{}, err
	}
	setup := fakes.Setup{Recording: []byte(content)}
	if err := exporter.Try(Replay, setup); err != nil {
		return fakes.Setup{}, at(n.Get("replay"), "%s cannot be played back: %s", n.Get("replay").Str(), words(Replay, err))
	}
	return setup, nil
}

// setup is how the fake of a target is set up, tried on a small world.
func (c *Config) setup(n *source.Node, t Target) (fakes.Setup, error) {
	if t.Live {
		return fakes.Setup{}, unset(n, "a live target")
	}
	s, err := c.readSetup(n, t.Fake)
	if err != nil {
		return s, err
	}
	if err := exporter.Try(t.Fake, fakes.Setup{Version: s.Version}); err != nil {
		return s, at(n.Get("version"), "%s; acted out are %s", words(t.Fake, err), strings.Join(standard.Versions(t.Fake), ", "))
	}
	if err := exporter.Try(t.Fake, s); err != nil {
		where := n
		for _, key := range []string{"args", "collectors", "files", "env"} {
			if v := n.Get(key); v.Exists() {
				where = v
				break
			}
		}
		return s, at(where, "%s would not start: %s", standard.Title(t.Fake), words(t.Fake, err))
	}
	return s, nil
}

// words are those of the fake about its setup.
func words(name string, err error) string {
	return strings.TrimPrefix(err.Error(), "set up the fake of "+name+": ")
}

func (c *Config) readSetup(n *source.Node, fake string) (s fakes.Setup, err error) {
	if v := n.Get("version"); v.Exists() {
		if v.Kind() != source.String && v.Kind() != source.Number || v.Scalar() == "" {
			return s, at(v, `want a release, as "24.07"`)
		}
		s.Version = v.Scalar()
	}
	if s.Hostname, err = text(n.Get("hostname"), "the name of the container's host"); err != nil {
		return s, err
	}
	args := n.Get("args")
	if args.Exists() && args.Kind() != source.Array {
		return s, at(args, "args is a list of the command line's words, found %s", args.Kind())
	}
	for _, arg := range args.Items() {
		if arg.Kind() == source.Object || arg.Kind() == source.Array {
			return s, at(arg, "want a word of the command line, found %s", arg.Kind())
		}
		s.Args = append(s.Args, arg.Scalar())
	}
	if s.Env, err = texts(n.Get("env"), "env"); err != nil {
		return s, err
	}
	return s, c.readFiles(n, fake, &s)
}

// readFiles reads what the command line names: files by their path on it, and the
// counters file of dcgm-exporter, for which it is named there.
func (c *Config) readFiles(n *source.Node, fake string, s *fakes.Setup) error {
	const most = 1 << 20
	files := n.Get("files")
	if files.Exists() && files.Kind() != source.Object {
		return at(files, "files maps the paths that args and env name to files beside this one, found %s", files.Kind())
	}
	s.Files = map[string]string{}
	for _, f := range files.Fields() {
		content, err := c.beside(f.Value, most)
		if err != nil {
			return err
		}
		s.Files[f.Key] = content
	}
	if counters := n.Get("collectors"); counters.Exists() {
		if fake != "dcgm" {
			return at(counters, "collectors is the counters file of dcgm-exporter: %s has none", standard.Title(fake))
		}
		content, err := c.beside(counters, most)
		if err != nil {
			return err
		}
		path := "/etc/dcgm-exporter/" + filepath.Base(counters.Str())
		s.Files[path] = content
		s.Args = append(s.Args, "--collectors", path)
	}
	if len(s.Files) == 0 {
		s.Files = nil
	}
	return nil
}

// text is a value that may be left out.
func text(n *source.Node, want string) (string, error) {
	switch {
	case !n.Exists():
		return "", nil
	case n.Kind() != source.String || n.Str() == "":
		return "", at(n, "want %s", want)
	}
	return n.Str(), nil
}

// texts is a mapping of names to texts that may be left out, nil then.
func texts(n *source.Node, key string) (map[string]string, error) {
	if !n.Exists() {
		return nil, nil
	}
	if n.Kind() != source.Object {
		return nil, at(n, "%s is a mapping of names to values, found %s", key, n.Kind())
	}
	out := map[string]string{}
	for _, f := range n.Fields() {
		if k := f.Value.Kind(); k == source.Object || k == source.Array || k == source.Null {
			return nil, at(f.Value, "the value of %s is text, found %s", f.Key, k)
		}
		out[f.Key] = f.Value.Scalar()
	}
	return out, nil
}

// beside is the content of a file that is named in relation to this one.
func (c *Config) beside(n *source.Node, most int64) (content string, err error) {
	if n.Kind() != source.String || n.Str() == "" {
		return "", at(n, "want the name of a file")
	}
	name := n.Str()
	if !filepath.IsAbs(name) {
		name = filepath.Join(filepath.Dir(c.File), name)
	}
	if info, err := os.Stat(name); err != nil || !info.Mode().IsRegular() { // a pipe would be waited for
		return "", at(n, "%s is no file", n.Str())
	}
	c.Files = append(c.Files, name)
	f, err := os.Open(name)
	if err != nil {
		return "", at(n, "%s cannot be read: %s", n.Str(), err)
	}
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return "", at(n, "%s cannot be read: %s", n.Str(), err)
	}
	if int64(len(data)) > most {
		return "", at(n, "%s has more than %d bytes", n.Str(), most)
	}
	return string(data), nil
}
