package containers

import (
	"archive/tar"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// maxMounted bounds what is copied into a container of one mount, in bytes: files
// kept as code are small, and a data directory mounted by mistake is not.
const maxMounted = 256 << 20

// Archive is files for a container. They are copied rather than mounted: an engine
// in a virtual machine, in another container or on another host does not see the
// files of this machine, and mounts an empty directory without a word.
type Archive []entry

// entry is one file, directory or symbolic link.
type entry struct {
	path     string // absolute, in the container
	mode     fs.FileMode
	uid, gid int
	content  []byte // of a file without source
	source   string // the file of this machine, "" for content
	size     int64  // of source
	link     string // target of a symbolic link
}

// Add puts a file with a content.
func (a *Archive) Add(p string, content []byte, mode fs.FileMode) {
	*a = append(*a, entry{path: p, mode: mode.Perm(), content: content})
}

// Open makes a directory that whoever runs in the container may write to.
func (a *Archive) Open(p string) {
	*a = append(*a, entry{path: p, mode: fs.ModeDir | 0o777})
}

// Tree puts a file or directory of this machine at p as a bind mount would show
// it: modes, owners and links are kept, so that what the container's user could
// not read in production it cannot read here.
func (a *Archive) Tree(source, p string) error {
	return a.Part(source, p, func(string, fs.DirEntry) bool { return false })
}

// Part is Tree without the files and directories that are to be skipped.
func (a *Archive) Part(source, p string, skip func(file string, d fs.DirEntry) bool) error {
	source, err := filepath.EvalSymlinks(source) // what is mounted is followed, what is inside is not
	if err != nil {
		return err
	}
	total := int64(0)
	return filepath.WalkDir(source, func(file string, d fs.DirEntry, err error) error {
		if d != nil && skip(file, d) {
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(source, file)
		if err != nil {
			return err
		}
		at := path.Join(p, filepath.ToSlash(rel))
		info, err := d.Info()
		if err != nil {
			return err
		}
		e := entry{path: at, mode: info.Mode()}
		e.uid, e.gid = owner(info)
		switch {
		case info.IsDir():
		case info.Mode()&fs.ModeSymlink != 0:
			if e.link, err = os.Readlink(file); err != nil {
				return err
			}
		case !info.Mode().IsRegular():
			return nil // sockets and devices mean nothing elsewhere
		default:
			e.source, e.size = file, info.Size()
			if total += e.size; total > maxMounted {
				return fmt.Errorf("%s holds more than %d MiB: it is no configuration", source, maxMounted>>20)
			}
		}
		*a = append(*a, e)
		return nil
	})
}

// replace changes the content of the file at p, and says whether it is there.
func (a Archive) replace(p string, content []byte) bool {
	found := false
	for i := range a {
		if a[i].path == p && a[i].mode.IsRegular() {
			a[i].content, a[i].source = content, ""
			found = true
		}
	}
	return found
}

// Write writes the files as a tar stream.
func (a Archive) Write(w io.Writer) error {
	out := tar.NewWriter(w)
	for _, e := range a {
		if err := e.write(out); err != nil {
			return fmt.Errorf("%s: %w", e.path, err)
		}
	}
	return out.Close()
}

func (e entry) write(out *tar.Writer) error {
	h := &tar.Header{Name: strings.TrimPrefix(e.path, "/"), Mode: int64(e.mode.Perm()), Uid: e.uid, Gid: e.gid, ModTime: time.Unix(0, 0)}
	switch {
	case h.Name == "":
		return nil // the root is there
	case e.mode.IsDir():
		h.Typeflag, h.Name = tar.TypeDir, h.Name+"/"
		return out.WriteHeader(h)
	case e.mode&fs.ModeSymlink != 0:
		h.Typeflag, h.Linkname = tar.TypeSymlink, e.link
		return out.WriteHeader(h)
	}
	h.Typeflag, h.Size = tar.TypeReg, int64(len(e.content))
	var from io.Reader = bytes.NewReader(e.content)
	if e.source != "" {
		f, err := os.Open(e.source)
		if err != nil {
			return err
		}
		defer f.Close() //nolint:errcheck // nothing was written
		from, h.Size = io.LimitReader(f, e.size), e.size
	}
	if err := out.WriteHeader(h); err != nil {
		return err
	}
	n, err := io.Copy(out, from)
	if err == nil && n != h.Size {
		return errors.New("the file shrank while it was being read")
	}
	return err
}

// inOrder puts directories before what is in them, and later mounts over earlier
// ones, as the container would see them.
func (a Archive) inOrder() Archive {
	out := slices.Clone(a)
	slices.SortStableFunc(out, func(x, y entry) int {
		return cmp.Compare(strings.Count(x.path, "/"), strings.Count(y.path, "/"))
	})
	return out
}
