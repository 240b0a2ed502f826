package shard

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/panelgate/panelgate/stack"
)

// Fingerprint tells files of a stack apart from other ones by their names, as seen from
// its directory, and their contents. One that cannot be read counts as such. "" is no
// file, and one that is named twice counts once.
func Fingerprint(s *stack.Stack, files []string) (string, error) {
	at := map[string]string{}
	for _, f := range files {
		if f == "" {
			continue
		}
		abs, err := filepath.Abs(f)
		if err != nil {
			return "", fmt.Errorf("find the file: %w", err)
		}
		at[Rel(s, abs)] = abs
	}
	var names []string
	for name := range at {
		names = append(names, name)
	}
	slices.Sort(names)
	all := sha256.New()
	for _, name := range names {
		all.Write(fmt.Appendf(nil, "%q %s\n", name, content(at[name]))) // a hash takes everything
	}
	return hex.EncodeToString(all.Sum(nil)[:16]), nil
}

// content is what a file holds, in short. What is none, or cannot be read, holds nothing:
// whoever needs it says so.
func content(path string) string {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return "none"
	}
	f, err := os.Open(path)
	if err != nil {
		return "none"
	}
	defer func() { _ = f.Close() }() // it was only read
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "none"
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// Path is where a file is that is named as seen from the stack's directory, or absolutely.
func Path(s *stack.Stack, file string) string {
	if file == "" || filepath.IsAbs(file) {
		return file
	}
	return filepath.Join(s.Dir, filepath.FromSlash(file))
}
