package rule

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestStackImageUnpinned(t *testing.T) {
	const image = "grafana/grafana:13.2.3"
	to := func(other string) func(*fixture) {
		return func(f *fixture) { f.replace(composeFile, image, other) }
	}
	runFileCases(t, stackImageUnpinned(), []fileCase{
		{
			name: "no tag", edit: to("grafana/grafana"),
			file: composeFile, at: "grafana/grafana\n", message: []string{`"grafana"`, "without a tag"}, fix: "image: grafana/grafana:13.2.3",
		},
		{
			name: "latest", edit: to("grafana/grafana:latest"),
			file: composeFile, at: "grafana/grafana:latest", message: []string{`"latest"`}, fix: "grafana/grafana:",
		},
		{
			name: "latest by default of a variable", edit: to("grafana/grafana:${GRAFANA_TAG:-latest}"),
			file: composeFile, at: "grafana/grafana:${", message: []string{`"grafana/grafana:latest"`},
		},
		{
			name: "a registry with a port, no tag", edit: to("registry:5000/grafana"),
			file: composeFile, at: "registry:5000/grafana", message: []string{"without a tag"}, fix: "registry:5000/grafana:<release>",
		},
		{name: "a registry with a port and a tag", edit: to("registry:5000/grafana:13.2.3")},
		{name: "a release by default of a variable", edit: to("grafana/grafana:${GRAFANA_TAG:-13.2.3}")},
		{name: "a digest", edit: to("grafana/grafana@sha256:0e8d20d4c05d5a4dcd4ea2d4dbc5d2a6f4f0c5d4f1d7c4f3d3e1c9a7c3f0b1a2")},
		{name: "no compose file", edit: noCompose},
	})
}

func TestImageTag(t *testing.T) {
	for image, want := range map[string]bool{
		"a": false, "a:1": true, "a:latest": false, "a:latest-ubuntu": false, "h:5000/a": false, "h:5000/a:1": true,
		"a@sha256:00": true, "a:latest@sha256:00": true, "a:": false,
	} {
		_, _, pinned := imageTag(image)
		assert.Equal(t, want, pinned, image)
	}
}
