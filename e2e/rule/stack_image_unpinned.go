package rule

import (
	"fmt"
	"strings"
)

// stackImageUnpinned proves that the images of tomorrow are those of today: a
// tag that moves brings another Prometheus or Grafana than the one proven.
func stackImageUnpinned() Rule {
	return Rule{
		ID:       "stack/image-unpinned",
		Severity: Warning,
		Summary:  "an image has no tag, or the tag latest",
		Static: func(in *Static) []Finding {
			if in.Stack.Compose == nil {
				return nil
			}
			var out []Finding
			for _, s := range in.Stack.Compose.Services {
				if s.Image.Value == "" || s.HasBuild { // built here: the name is given, not pulled
					continue
				}
				name, tag, pinned := imageTag(s.Image.Value)
				if pinned {
					continue
				}
				f := Finding{
					Pos:     s.Image.Pos,
					Message: fmt.Sprintf("service %q runs the image %q without a tag: each pull may bring another release", s.Name, s.Image.Value),
					Fix:     fmt.Sprintf("pin a release or a digest, as %s:<release>", name),
				}
				if tag != "" {
					f.Message = fmt.Sprintf("service %q runs the image %q: what %q is changes with each release", s.Name, s.Image.Value, tag)
				}
				if release := knownRelease(name); release != "" {
					f.Fix = fmt.Sprintf("pin a release, as image: %s:%s", name, release)
				}
				out = append(out, f)
			}
			return out
		},
	}
}

// imageTag takes an image's name apart and says whether it stays the same: by
// its digest, or by a tag other than latest.
func imageTag(image string) (name, tag string, pinned bool) {
	name, _, hasDigest := strings.Cut(image, "@")
	if i := strings.LastIndexByte(name, ':'); i > strings.LastIndexByte(name, '/') { // else a registry's port
		name, tag = name[:i], name[i+1:]
	}
	moving := tag == "" || tag == "latest" || strings.HasPrefix(tag, "latest-")
	return name, tag, hasDigest || !moving
}

// knownRelease is a release that exists of an image often seen in such stacks.
func knownRelease(name string) string {
	switch strings.TrimPrefix(name, "docker.io/") {
	case "prom/prometheus":
		return "v3.15.0"
	case "grafana/grafana", "grafana/grafana-oss", "grafana/grafana-enterprise":
		return "13.2.3"
	case "prom/node-exporter":
		return "v1.12.1"
	}
	return ""
}
