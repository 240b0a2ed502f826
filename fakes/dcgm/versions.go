package dcgm

import (
	"fmt"
	"slices"
	"strings"

	"github.com/panelgate/panelgate/fakes/release"
)

// newest is the release that is acted out where none is asked for.
const newest = "4.5.3-4.8.2"

// oldest is the first release that is acted out. Releases before it are another program, a shell script.
const oldest = "2.0.0"

// tags are dcgm-exporter's releases, oldest first: DCGM's version, and the exporter's own behind the hyphen.
func tags() []string {
	return []string{
		"2.0.13-2.1.0", "2.0.13-2.1.1", "2.0.13-2.1.2", "2.1.2-2.2.0", "2.1.2-2.3.0", "2.1.4-2.3.1", "2.1.8-2.4.0-rc.2", "2.1.8-2.4.0-rc.3",
		"2.2.9-2.4.0", "2.2.9-2.4.1", "2.3.1-2.6.0", "2.3.1-2.6.1", "2.3.2-2.6.2", "2.3.2-2.6.3", "2.3.4-2.6.4", "2.3.5-2.6.5",
		"2.4.5-2.6.7", "2.4.6-2.6.8", "2.4.6-2.6.9", "2.4.6-2.6.10", "2.4.7-2.6.11",
		"3.0.4-3.0.0", "3.1.3-3.1.2", "3.1.6-3.1.3", "3.1.7-3.1.4", "3.1.8-3.1.5", "3.2.3-3.1.6", "3.2.5-3.1.7", "3.2.5-3.1.8", "3.2.6-3.1.9",
		"3.3.0-3.2.0", "3.3.3-3.3.0", "3.3.3-3.3.1", "3.3.5-3.4.0", "3.3.5-3.4.1", "3.3.6-3.4.2",
		"3.3.7-3.4.1", "3.3.7-3.5.0", "3.3.8-3.6.0", "3.3.9-3.6.1",
		"4.0.0-4.0.1", "4.1.0-4.0.2", "4.1.1-4.0.3", "4.1.1-4.0.4", "4.2.0-4.1.0", "4.2.3-4.1.1", "4.2.3-4.1.3", "4.3.1-4.4.0",
		"4.4.0-4.5.0", "4.4.1-4.5.2", "4.4.1-4.6.0", "4.4.2-4.7.0", "4.4.2-4.7.1", "4.5.1-4.8.0", "4.5.2-4.8.1", newest,
	}
}

// Versions are the releases that matter, oldest first: those before and at which something changes that a scrape shows.
func Versions() []string {
	return []string{
		"2.0.13-2.1.2", "2.1.8-2.4.0-rc.3", "2.2.9-2.4.1", "2.3.1-2.6.0", "2.4.6-2.6.10", "3.1.8-3.1.5", "3.2.5-3.1.7", "3.3.5-3.4.0", "3.3.6-3.4.2",
		"3.3.7-3.5.0", "3.3.9-3.6.1", "4.0.0-4.0.1", "4.2.3-4.1.3", "4.3.1-4.4.0", "4.4.2-4.7.0", "4.5.1-4.8.0", newest, release.Tip,
	}
}

// Canonical is the release that somebody means who writes it as a pair, as an image's tag or as either half of a pair: "3.3.5-3.4.0",
// "3.3.5", "4.8.2" and "main". Where a number is the first half of a release and the second half of another, the first is meant.
// Releases that are in no list are taken as they are written.
func Canonical(version string) (release.Release, error) {
	if version == "" {
		version = newest
	}
	r, err := release.Parse(version)
	if err != nil {
		return release.Release{}, fmt.Errorf("version: %w", err)
	}
	if !strings.Contains(r.String(), "-") && version != release.Tip {
		r = paired(r)
	}
	if r.Before(oldest) {
		return release.Release{}, fmt.Errorf("version: %s is older than %s, the first that is acted out; before it was another program", version, oldest)
	}
	return r, nil
}

// since says whether a release is the one with that tag or newer. Where several releases came with one DCGM, the exporter's own number
// decides, if it is known.
func since(r release.Release, tag string) bool {
	t := release.MustParse(tag)
	if c := r.Compare(t); c != 0 {
		return c > 0
	}
	_, own, known := strings.Cut(r.String(), "-")
	_, other, some := strings.Cut(t.String(), "-")
	return !known || !some || release.MustParse(own).Compare(release.MustParse(other)) >= 0
}

// paired is the newest release that has the number for one of its halves, the number itself where none has.
func paired(number release.Release) release.Release {
	known := tags()
	slices.Reverse(known)
	for _, half := range []int{0, 1} {
		for _, tag := range known {
			pair := release.MustParse(tag)
			if strings.Split(pair.String(), "-")[half] == number.String() {
				return pair
			}
		}
	}
	return number
}
