package beside

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Unpack puts the files of a tar stream below a directory, with their modes, and with their owners where this process may give files
// away. A file that is there is written to rather than replaced: it may be a mount, or held open by who reads it. Links on the way are
// followed within the directory, and refused where they lead out of it.
func Unpack(r io.Reader, root string) error {
	if err := os.MkdirAll(root, 0o755); err != nil {
		return fmt.Errorf("unpack: %w", err)
	}
	root, err := filepath.EvalSymlinks(root)
	if err != nil {
		return fmt.Errorf("unpack: %w", err)
	}
	from := &watched{Reader: r}
	in := tar.NewReader(from)
	for {
		h, err := in.Next()
		if errors.Is(err, io.EOF) && from.ended {
			err = io.ErrUnexpectedEOF // what ends an archive are two empty blocks, and not that nothing more comes
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("unpack: %w", err)
		}
		if err := unpackOne(h, in, root); err != nil {
			return fmt.Errorf("unpack %s: %w", h.Name, err)
		}
	}
}

// watched tells whether somebody wanted more of a stream than it had.
type watched struct {
	io.Reader
	ended bool
}

// Read implements io.Reader.
func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	w.ended = w.ended || n == 0 && errors.Is(err, io.EOF)
	return n, err
}

func unpackOne(h *tar.Header, content io.Reader, root string) error {
	name := filepath.Clean(filepath.FromSlash(h.Name))
	if !filepath.IsLocal(name) {
		return errors.New("the name leads out of the archive")
	}
	if name == "." && h.Typeflag != tar.TypeDir {
		return errors.New("the name is the directory's that is unpacked into")
	}
	at, err := locate(root, name, h.Typeflag == tar.TypeDir)
	if err != nil {
		return err
	}
	mode := fs.FileMode(h.Mode).Perm() //nolint:gosec // a mode has nine bits
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		return err
	}
	switch h.Typeflag {
	case tar.TypeDir:
		if err := os.MkdirAll(at, mode); err != nil {
			return err
		}
	case tar.TypeReg:
		if err := writeFile(at, content, mode); err != nil {
			return err
		}
	case tar.TypeSymlink:
		if err := os.Remove(at); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := os.Symlink(h.Linkname, at); err != nil {
			return err
		}
		return giveAway(at, h)
	default:
		return fmt.Errorf("it is neither file, directory nor symbolic link but %q", h.Typeflag)
	}
	if err := giveAway(at, h); err != nil {
		return err
	}
	return os.Chmod(at, mode) // after the owner, whose change may take bits away, and past any umask
}

// locate is where a name below root is to be found once the links on its way are followed; its own is where it is a directory's.
// os.Root would refuse the absolute links that images have, such as /var/run's.
func locate(root, name string, own bool) (string, error) {
	at, missing := filepath.Join(root, name), ""
	if !own {
		at, missing = filepath.Dir(at), filepath.Base(at)
	}
	for {
		_, err := os.Lstat(at)
		if err == nil {
			break
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		at, missing = filepath.Dir(at), filepath.Join(filepath.Base(at), missing)
	}
	at, err := filepath.EvalSymlinks(at)
	if err != nil {
		return "", err
	}
	if rel, err := filepath.Rel(root, at); err != nil || !filepath.IsLocal(rel) {
		return "", errors.New("a link on its way leads out of the directory")
	}
	return filepath.Join(at, missing), nil
}

func writeFile(at string, content io.Reader, mode fs.FileMode) error {
	if info, err := os.Lstat(at); err == nil && info.Mode()&fs.ModeSymlink != 0 {
		if err := os.Remove(at); err != nil { // the link, and not what it leads to
			return err
		}
	}
	f, err := os.OpenFile(at, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, content)
	return errors.Join(err, f.Close())
}

func giveAway(at string, h *tar.Header) error {
	if os.Geteuid() != 0 {
		return nil
	}
	return os.Lchown(at, h.Uid, h.Gid)
}
