package picture

import (
	"cmp"
	"path"
	"regexp"
	"strconv"
	"strings"
)

// names makes file names of what dashboards are called, no two of which are the same
// even to a file system that takes capitals for small letters.
type names map[string]bool

const extension = ".png"

// unsafe is what not every file system takes, and reserved what Windows has its own
// ideas about.
func unsafe() *regexp.Regexp { return regexp.MustCompile(`[^A-Za-z0-9._-]+`) }
func reserved() *regexp.Regexp {
	return regexp.MustCompile(`(?i)^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)`)
}

// file is the name of the next image.
func (n names) file(of string) string {
	const longest = 100
	base := strings.Trim(unsafe().ReplaceAllString(of, "-"), ".-")
	base = cmp.Or(base[:min(len(base), longest)], "dashboard")
	if reserved().MatchString(base) {
		base = "_" + base
	}
	name := base
	for i := 2; n[strings.ToLower(name)]; i++ {
		name = base + "-" + strconv.Itoa(i)
	}
	n[strings.ToLower(name)] = true
	return name + extension
}

// called is what a dashboard's images are called after: its uid, else its file.
func called(uid, file string) string {
	if uid != "" {
		return uid
	}
	file = path.Base(strings.ReplaceAll(file, `\`, "/"))
	return strings.TrimSuffix(file, path.Ext(file))
}
