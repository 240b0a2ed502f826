package containers

import (
	"strings"
	"testing"
)

func FuzzParseImages(f *testing.F) {
	for _, seed := range []string{"prometheus=prom/prometheus:v3.5.0", "grafana=tar:x.tar", "a=b@sha256:0", "=", "a=", "a=b=c", "prometheus=UPPER"} {
		f.Add(seed, "grafana=g")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		images, err := ParseImages([]string{a, b})
		if err != nil {
			return
		}
		for service, image := range images {
			if service == "" || image == "" {
				t.Fatalf("%q and %q give %q the image %q", a, b, service, image)
			}
			if !strings.Contains(a+"\n"+b, service+"="+image) {
				t.Fatalf("%q and %q give %q the image %q", a, b, service, image)
			}
		}
	})
}
