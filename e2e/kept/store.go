// Package kept is a store of results on disk, each under a key made of the content of
// what was asked. It knows nothing of what it keeps. What it gives back is what was put
// in, or nothing: an entry that was cut short, edited, put in another's place or written
// by another version is a miss. Several processes may use one directory at once.
package kept

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// MostBytes is how much a directory holds unless told otherwise, and mostEntry how much
// one entry may: a dashboard of a thousand queries has less than 1 MB.
const (
	MostBytes = 256 << 20
	mostEntry = 32 << 20
)

// errNone says that there is no entry, which is nothing to wonder about.
var errNone = errors.New("there is no entry")

// Absent says whether an error of Get means that there never was an entry, or that it
// was dropped for want of room.
func Absent(err error) bool { return errors.Is(err, errNone) }

// Store is a directory of entries. Its methods may be called from several goroutines.
type Store struct {
	root *os.Root
	most int64
}

// DefaultDir is where a user's entries are kept unless told otherwise: in panelgate
// below the directory that the system has for what may be lost.
func DefaultDir() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the user's cache directory: %w", err)
	}
	return filepath.Join(dir, "panelgate"), nil
}

// Open opens the store in a directory, which is made where it is missing, for its user
// alone. most is how many bytes it may hold, 0 for MostBytes. The caller closes it.
func Open(dir string, most int64) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the cache: %w", err)
	}
	// Whatever is done from here on stays inside, symbolic links or not.
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open the cache: %w", err)
	}
	info, err := root.Stat(".")
	if err == nil && info.Mode().Perm()&0o002 != 0 && runtime.GOOS != "windows" {
		err = errors.New("everybody may write there, and so say what passes") // not only those who may change the stack
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the cache: %w", err), root.Close())
	}
	return &Store{root: root, most: cmp.Or(most, MostBytes)}, nil
}

// Close lets go of the directory.
func (s *Store) Close() error {
	if err := s.root.Close(); err != nil {
		return fmt.Errorf("close the cache: %w", err)
	}
	return nil
}

// magic is the first line of an entry of this version.
const magic = "panelgate cache entry, version 1"

// file is where the entry of a key lies, spread over directories of a few hundred.
func file(k Key) string {
	name := k.String()
	return path.Join("v1", name[:2], name)
}

// Get is the entry of a key and when it was written. The error says why there is none:
// no run is the worse for it. That it was of use is noted, for what is dropped first.
func (s *Store) Get(k Key) (data []byte, written time.Time, err error) {
	name := file(k)
	info, err := s.root.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, time.Time{}, errNone
	case err != nil:
		return nil, time.Time{}, fmt.Errorf("look for the entry: %w", err)
	case !info.Mode().IsRegular(): // a link would lead elsewhere, a pipe would be waited for
		return nil, time.Time{}, errors.New("the entry is no regular file")
	case info.Size() > mostEntry:
		return nil, time.Time{}, fmt.Errorf("the entry has %d bytes, more than any that is written", info.Size())
	}
	f, err := s.root.Open(name)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("open the entry: %w", err)
	}
	defer f.Close() //nolint:errcheck // it was only read
	text, err := io.ReadAll(io.LimitReader(f, mostEntry+1))
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("read the entry: %w", err)
	}
	if data, written, err = opened(k, text); err != nil {
		return nil, time.Time{}, err
	}
	now := time.Now()
	_ = s.root.Chtimes(name, now, now) // where that may not be written, it is dropped the earlier
	return data, written, nil
}

// sealed is an entry as its file has it: version, key, when, the checksum of all that,
// and what is kept.
func sealed(k Key, written time.Time, data []byte) []byte {
	head := fmt.Sprintf("%s\n%s\n%s\n", magic, k, written.UTC().Format(time.RFC3339Nano))
	sum := checksum(head, data)
	return append([]byte(head+sum+"\n"), data...)
}

// checksum covers the head of an entry as well: its key and its age count as much as
// what it says.
func checksum(head string, data []byte) string {
	h := sha256.New()
	_, _ = io.WriteString(h, head) // a hash takes everything
	h.Write(data)
	return hex.EncodeToString(h.Sum(nil))
}

// opened checks an entry and takes it out of its file.
func opened(k Key, text []byte) (data []byte, written time.Time, err error) {
	lines := bytes.SplitN(text, []byte("\n"), 5)
	switch {
	case len(lines) < 5:
		return nil, time.Time{}, errors.New("the entry is cut short")
	case string(lines[0]) != magic:
		return nil, time.Time{}, errors.New("the entry is of another version")
	case string(lines[1]) != k.String():
		return nil, time.Time{}, errors.New("the entry is of something else")
	}
	head := string(bytes.Join(lines[:3], []byte("\n"))) + "\n"
	if string(lines[3]) != checksum(head, lines[4]) {
		return nil, time.Time{}, errors.New("the entry is not as it was written")
	}
	if written, err = time.Parse(time.RFC3339Nano, string(lines[2])); err != nil {
		return nil, time.Time{}, fmt.Errorf("read when the entry was written: %w", err)
	}
	return lines[4], written, nil
}

// temporary begins the name of a file that is being written.
const temporary = "writing-"

// Put keeps data under a key. Whoever reads at the same time sees the entry as it was
// or as it will be. It is not waited for until a disk has it: what a machine that
// loses its power leaves behind does not fit its checksum.
func (s *Store) Put(k Key, data []byte) (err error) {
	name := file(k)
	if err := s.root.MkdirAll(path.Dir(name), 0o700); err != nil {
		return fmt.Errorf("make room for the entry: %w", err)
	}
	text := sealed(k, time.Now(), data)
	if len(text) > mostEntry {
		return fmt.Errorf("the entry would have %d bytes, more than is read", len(text))
	}
	aside := path.Join(path.Dir(name), temporary+rand.Text())
	f, err := s.root.OpenFile(aside, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write the entry: %w", err)
	}
	defer func() {
		if err != nil {
			_ = s.root.Remove(aside) // the error that is returned says more
		}
	}()
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write the entry: %w", err)
	}
	if err = s.root.Rename(aside, name); err != nil {
		return fmt.Errorf("put the entry in its place: %w", err)
	}
	return nil
}

// abandoned is after how long a file that is being written is nobody's any more.
const abandoned = time.Hour

// Trim drops what has been of use the longest ago until the rest fits, and what was
// left behind half written. What another process drops at the same time is as good.
func (s *Store) Trim() error {
	type entry struct {
		name string
		used time.Time
		size int64
	}
	var all []entry
	var sum int64
	err := fs.WalkDir(s.root.FS(), "v1", func(name string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return nil //nolint:nilerr // somebody else has dropped it
		}
		if strings.HasPrefix(d.Name(), temporary) {
			if time.Since(info.ModTime()) > abandoned {
				return s.drop(name)
			}
			return nil
		}
		if mine(name) {
			all = append(all, entry{name, info.ModTime(), info.Size()})
			sum += info.Size()
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("look through the cache: %w", err)
	}
	slices.SortFunc(all, func(a, b entry) int { return a.used.Compare(b.used) })
	for _, e := range all {
		if sum <= s.most {
			break
		}
		if err := s.drop(e.name); err != nil {
			return err
		}
		sum -= e.size
	}
	return nil
}

// mine says whether a file is one that this store writes: a directory that somebody
// names by mistake loses nothing else.
func mine(name string) bool {
	parts := strings.Split(name, "/")
	if len(parts) != 3 || parts[0] != "v1" {
		return false
	}
	_, err := hex.DecodeString(parts[2])
	return err == nil && len(parts[2]) == 2*sha256.Size && strings.HasPrefix(parts[2], parts[1])
}

func (s *Store) drop(name string) error {
	if err := s.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("drop %s from the cache: %w", name, err)
	}
	return nil
}
