package containers

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/source"
)

const digest = "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func TestImageOf(t *testing.T) {
	tests := map[string]struct {
		images  Images
		service stack.Service
		want    string
		wantErr string
	}{
		"as the compose file has it":   {service: stack.Service{Name: "ui", Image: source.Text{Value: "grafana/grafana:13.2.3" + digest}}, want: "grafana/grafana:13.2.3" + digest},
		"by service":                   {images: Images{Override: map[string]string{"ui": "a", "grafana": "b"}}, service: stack.Service{Name: "ui"}, want: "a"},
		"by role":                      {images: Images{Override: map[string]string{"grafana": "b"}}, service: stack.Service{Name: "ui", Image: source.Text{Value: "x"}}, want: "b"},
		"an override goes as it is":    {images: Images{Override: map[string]string{"grafana": "b"}, Prefix: "mirror"}, service: stack.Service{Name: "ui"}, want: "b"},
		"from a mirror":                {images: Images{Prefix: "mirror.example/hub/"}, service: stack.Service{Image: source.Text{Value: "grafana/grafana:13.2.3" + digest}}, want: "mirror.example/hub/grafana/grafana:13.2.3" + digest},
		"an official image, mirrored":  {images: Images{Prefix: "mirror.example"}, service: stack.Service{Image: source.Text{Value: "busybox"}}, want: "mirror.example/library/busybox"},
		"another registry stays":       {images: Images{Prefix: "mirror.example"}, service: stack.Service{Image: source.Text{Value: "quay.io/prometheus/prometheus:v3.15.0"}}, want: "quay.io/prometheus/prometheus:v3.15.0"},
		"built from a Dockerfile":      {service: stack.Service{Name: "ui", HasBuild: true}, wantErr: "docker compose build ui"},
		"neither image nor Dockerfile": {service: stack.Service{Name: "ui"}, wantErr: "has no image"},
		"nonsense":                     {images: Images{Prefix: "mirror"}, service: stack.Service{Image: source.Text{Value: "A B"}}, wantErr: "image \"A B\""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := tt.images.of(&tt.service, roleGrafana)
			if tt.wantErr != "" {
				require.ErrorContains(t, err, tt.wantErr)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.want, got)
		})
	}
}

func TestParseImages(t *testing.T) {
	got, err := ParseImages([]string{"prometheus=prom/prometheus:v3.15.0, grafana=g" + digest, "grafana=last"})
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"prometheus": "prom/prometheus:v3.15.0", "grafana": "last"}, got)
	for _, bad := range []string{"grafana", "=x", "grafana=", "grafana=A B"} {
		_, err := ParseImages([]string{bad})
		require.Error(t, err, bad)
	}
}

func TestUnusedOverrides(t *testing.T) {
	images := Images{Override: map[string]string{"graphana": "x"}}
	err := images.unused(map[string]bool{"grafana": true, "prometheus": true, "fakes": true})
	require.ErrorContains(t, err, "--image graphana=x: the run has no container of that name, only fakes, grafana, prometheus")
	require.NoError(t, Images{}.unused(nil))
}
