package exporter

import (
	"fmt"
	"slices"
	"strings"

	"github.com/panelgate/panelgate/e2e/nearest"
	"github.com/panelgate/panelgate/fakes/release"
	"github.com/panelgate/panelgate/fakes/standard"
)

// between stands between the ends of a range of releases: "20.06..24.07".
const between = ".."

// Versions reads releases of an exporter, of those that its fake acts out, with commas
// between them: "24.07", "20.06..24.07" for all from one to the other, "24.07.." for all
// since. dcgm-exporter's may be written by either of its two numbers. Each is there once,
// as its maintainers write it and in the order in which it is written.
func Versions(name, text string) ([]string, error) {
	var out []string
	for one := range strings.SplitSeq(text, ",") {
		some, err := span(name, strings.TrimSpace(one))
		if err != nil {
			return nil, err
		}
		for _, v := range some {
			if !slices.Contains(out, v) {
				out = append(out, v)
			}
		}
	}
	return out, nil
}

// span reads one release, or a range of them.
func span(name, text string) ([]string, error) {
	if text == "" {
		return nil, fmt.Errorf("a version of %s is empty", name)
	}
	from, to, ranged := strings.Cut(text, between)
	if !ranged {
		v, err := one(name, text)
		return []string{v}, err
	}
	versions := standard.Versions(name)
	first, err := end(name, from)
	if err != nil {
		return nil, err
	}
	last, err := end(name, to)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, v := range versions {
		r := release.MustParse(v)
		if (first.IsZero() || r.Compare(first) >= 0) && (last.IsZero() || r.Compare(last) <= 0) {
			out = append(out, v)
		}
	}
	switch {
	case len(out) > 0:
	case !first.IsZero() && !last.IsZero() && first.Compare(last) > 0:
		return nil, fmt.Errorf("the fake of %s acts out no version of %s: the older end comes first, as in %s%s%s", name, text, to, between, from)
	default:
		return nil, fmt.Errorf("the fake of %s acts out no version of %s: it knows %s", name, text, known(versions))
	}
	return out, nil
}

// end is an end of a range, which need not be a release that is acted out; the zero
// Release where it is left open.
func end(name, text string) (release.Release, error) {
	if text == "" {
		return release.Release{}, nil
	}
	if v, err := one(name, text); err == nil {
		return release.MustParse(v), nil
	}
	return release.Parse(text)
}

// one is the release of an exporter that is meant.
func one(name, text string) (string, error) {
	versions := standard.Versions(name)
	if v, ok := find(versions, text); ok {
		return v, nil
	}
	return "", fmt.Errorf("the fake of %s does not act out version %q%s: it knows %s", name, text,
		nearest.Hint(text, versions), known(versions))
}

// known are the releases that are acted out: by name where they are few.
func known(versions []string) string {
	const few = 20
	if len(versions) <= few {
		return strings.Join(versions, ", ")
	}
	return fmt.Sprintf("%s to %s, %d in all", versions[0], versions[len(versions)-1], len(versions))
}

// find finds a release by how it may be written.
func find(versions []string, text string) (string, bool) {
	if slices.Contains(versions, text) {
		return text, true
	}
	if r, err := release.Parse(text); err == nil {
		for _, v := range versions {
			if v == r.String() || strings.HasPrefix(v, r.String()+"-") {
				return v, true
			}
		}
	}
	for _, v := range versions { // by the exporter's own number, behind that of DCGM
		if _, own, paired := strings.Cut(v, "-"); paired && own == text {
			return v, true
		}
	}
	return "", false
}
