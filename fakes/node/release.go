package node

import (
	"errors"
	"fmt"
	"strings"

	"github.com/panelgate/panelgate/fakes/release"
)

// newest is the release that is acted out where none is asked for.
const newest = "1.12.1"

// goVersions are the released versions, oldest first, and the Go each was built with as its build says; it is "" where no scrape of
// the published binary was at hand.
func goVersions() [][2]string {
	return [][2]string{
		{"1.0.0", ""}, {"1.0.1", "go1.14.4"},
		{"1.1.0", ""}, {"1.1.1", "go1.15.8"}, {"1.1.2", "go1.15.8"},
		{"1.2.0", ""}, {"1.2.1", ""}, {"1.2.2", ""},
		{"1.3.0", ""}, {"1.3.1", "go1.17.3"},
		{"1.4.0", ""}, {"1.4.1", ""}, {"1.5.0", ""},
		{"1.6.0", ""}, {"1.6.1", "go1.20.6"}, {"1.7.0", "go1.21.4"},
		{"1.8.0", ""}, {"1.8.1", ""}, {"1.8.2", "go1.22.5"},
		{"1.9.0", ""}, {"1.9.1", "go1.23.7"},
		{"1.10.0", ""}, {"1.10.1", ""}, {"1.10.2", ""},
		{"1.11.0", ""}, {"1.11.1", "go1.26.1"},
		{"1.12.0", ""}, {newest, "go1.26.8"},
	}
}

// Versions are the releases acted out, oldest first.
func Versions() []string {
	var versions []string
	for _, v := range goVersions() {
		versions = append(versions, v[0])
	}
	return versions
}

// parseRelease reads which release is wanted. Any of 1.x is acted out, one that is not in Versions as the one before it.
func parseRelease(version string) (release.Release, error) {
	if version == "" {
		version = newest
	}
	r, err := release.Parse(version)
	if err != nil {
		return r, fmt.Errorf("version: %w", err)
	}
	switch {
	case r.String() == release.Tip:
		return r, errors.New(`version: node_exporter's "main" is not acted out, it has no fixed families; name a release, ` + newest + " is the newest known")
	case r.Before("1.0.0"):
		return r, fmt.Errorf("version: node_exporter %s is before 1.0.0, the first that is acted out; its metrics had other names", r)
	case r.Since("2.0.0"):
		return r, fmt.Errorf("version: node_exporter %s is of 2.x, which is not acted out; %s is the newest known", r, newest)
	}
	return r, nil
}

// goVersion is the Go that a release was built with, as far as that is known of it or of one before it.
func goVersion(r release.Release) string {
	var last string
	for _, v := range goVersions() {
		if r.Before(v[0]) {
			break
		}
		if v[1] != "" {
			last = v[1]
		}
	}
	if last == "" { // 1.0.0, built three weeks before 1.0.1
		return "go1.14.3"
	}
	return last
}

// revision is the commit that a release was built from, "unknown" where no scrape of the published binary was at hand.
func revision(r release.Release) string {
	known := map[string]string{
		"1.0.1": "3715be6ae899f2a9b9dbfd9c39f3e09a7bd4559f",
		"1.1.1": "4e837d4da79cc59ee3ed1471ba9a0d9547e95540",
		"1.1.2": "b597c1244d7bef49e6f3359c87a56dd7707f6719",
		"1.3.1": "a2321e7b940ddcff26873612bccdf7cd4c42b6b6",
		"1.6.1": "4a1b77600c1873a8233f3ffb55afcedbb63b8d84",
		"1.7.0": "7333465abf9efba81876303bb57e6fadb946041b",
		"1.8.2": "f1e0e8360aa60b6cb5e5cc1560bed348fc2c1895",
		"1.9.1": "f2ec547b49af53815038a50265aa2adcd1275959",
	}
	if commit, ok := known[r.String()]; ok {
		return commit
	}
	return "unknown"
}

// buildLabels are those of node_exporter_build_info. The system and the build's tags are told since 1.6.0; since 1.8.0 nobody tells
// the build its tags any more.
func buildLabels(r release.Release) string {
	labels := []string{`branch="HEAD"`}
	if r.Since("1.6.0") {
		labels = append(labels, `goarch="amd64"`, `goos="linux"`)
	}
	labels = append(labels, `goversion="`+goVersion(r)+`"`, `revision="`+revision(r)+`"`)
	switch {
	case r.Since("1.8.0"):
		labels = append(labels, `tags="unknown"`)
	case r.Since("1.6.0"):
		labels = append(labels, `tags="netgo osusergo static_build"`)
	}
	return strings.Join(append(labels, `version="`+r.String()+`"`), ",")
}
