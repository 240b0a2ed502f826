package kept

import (
	"crypto/sha256"
	"debug/elf"
	"fmt"
	"io"
	"os"
	"regexp"
)

// Program identifies the code that runs: two builds have the same only where the
// compiler was given the same. A version does not serve: every build of a checkout
// that is being worked on has the one and the same.
func Program() (string, error) {
	name, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find this program's own file: %w", err)
	}
	return programOf(name)
}

// buildID is what cmd/go writes into a program: hashes of everything that went into it,
// of whatever is compiled in and of the linker's flags. Builds that blank it or set it
// to a word of their own do not have this form.
var buildID = regexp.MustCompile(`^[\w-]{20}/[\w-]{20}/[\w-]{20}/[\w-]{20}$`)

// programOf is by the build id of a program's file where it has one that can be read in
// an instant, else by all of its bytes.
func programOf(name string) (string, error) {
	if id := buildIDOf(name); buildID.MatchString(id) {
		return "build id " + id, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return "", fmt.Errorf("read this program's own file: %w", err)
	}
	defer f.Close() //nolint:errcheck // it was only read
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("read this program's own file: %w", err)
	}
	return fmt.Sprintf("sha256 %x", h.Sum(nil)), nil
}

// buildIDOf is the build id in the note of an ELF file, "" where there is none.
func buildIDOf(name string) string {
	f, err := elf.Open(name)
	if err != nil {
		return ""
	}
	defer f.Close() //nolint:errcheck // it was only read
	section := f.Section(".note.go.buildid")
	if section == nil || section.Size > 4096 {
		return ""
	}
	note, err := section.Data()
	const head = 16 // three lengths of 4 bytes, and the name "Go\0\0"
	if err != nil || len(note) < head {
		return ""
	}
	length := int(f.ByteOrder.Uint32(note[4:8]))
	if length > len(note)-head {
		return ""
	}
	return string(note[head : head+length])
}
