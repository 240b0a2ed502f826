// Package release reads and orders the releases of exporters, each in its maintainers' own spelling: Triton's and vLLM's image tags,
// dcgm-exporter's pair of versions, node_exporter's.
package release

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Release is one release of an exporter. The zero Release is older than all.
type Release struct {
	text    string
	numbers []int // most significant first
	tip     bool  // of the development branch: newer than all
}

// Tip is what the development branch is called, whose next release has no number yet.
const Tip = "main"

// spelling is what a release may look like: numbers between dots, of dcgm-exporter its own behind a hyphen, and what an image's tag
// adds, such as "v" before it, or "-py3" and "-4.5.1-ubuntu22.04" behind it.
var spelling = regexp.MustCompile(`^v?(\d{1,4}(?:\.\d{1,4}){1,2})(?:-(\d{1,4}(?:\.\d{1,4}){2}))?(?:[-+.]?[A-Za-z][0-9A-Za-z.+-]*)?$`)

// Parse reads a release, or the tag of an image of one: "24.07", "24.07-py3", "3.3.5-3.4.0-ubuntu22.04", "v1.9.1", "main".
func Parse(text string) (Release, error) {
	if text == Tip {
		return Release{text: text, tip: true}, nil
	}
	m := spelling.FindStringSubmatch(text)
	if m == nil {
		return Release{}, fmt.Errorf("%q is no release: want numbers between dots, as 24.07 or 3.3.5-3.4.0, or %s", text, Tip)
	}
	r := Release{text: m[1]}
	if m[2] != "" {
		r.text += "-" + m[2]
	}
	for part := range strings.SplitSeq(m[1], ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			return Release{}, fmt.Errorf("%q is no release: %w", text, err)
		}
		r.numbers = append(r.numbers, n)
	}
	return r, nil
}

// MustParse is Parse for a release that stands in the program itself.
func MustParse(text string) Release {
	r, err := Parse(text)
	if err != nil {
		panic("release: " + err.Error())
	}
	return r
}

// String is the release as its maintainers write it, without what a tag adds.
func (r Release) String() string { return r.text }

// IsZero says whether this is no release.
func (r Release) IsZero() bool { return r.text == "" }

// Compare is negative where r is older than o, positive where it is newer. dcgm-exporter's second number does not count, and what is
// not written is 0: "3.3.5" and "3.3.5-3.4.0" are one release.
func (r Release) Compare(o Release) int {
	if r.tip || o.tip {
		return cmp.Compare(rank(r.tip), rank(o.tip))
	}
	if r.IsZero() || o.IsZero() {
		return cmp.Compare(rank(!r.IsZero()), rank(!o.IsZero()))
	}
	length := max(len(r.numbers), len(o.numbers))
	return slices.Compare(padded(r.numbers, length), padded(o.numbers, length))
}

func rank(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

func padded(numbers []int, length int) []int {
	return append(slices.Clone(numbers), make([]int, length-len(numbers))...)
}

// Before says whether r is older than the release written as other, which is one that stands in the program itself.
func (r Release) Before(other string) bool { return r.Compare(MustParse(other)) < 0 }

// Since says whether r is the release written as other, or newer.
func (r Release) Since(other string) bool { return !r.Before(other) }
