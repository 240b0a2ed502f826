package containers

import (
	"strings"
	"testing"
	"unicode"
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

// FuzzParseSettings reads variables of servers, which may be secrets: what is read is what was written, and no error shows a value.
func FuzzParseSettings(f *testing.F) {
	for _, seed := range []string{
		"grafana:GF_LOG_LEVEL=debug", "grafana=x", ":A=b", "prometheus:A=", "grafana:=b", "GF_SECURITY_ADMIN_PASSWORD=x", "a:b=c=d:e", "", "\x1b[2J:\u202e=\xff", "grafana:A",
	} {
		f.Add(seed)
	}
	const secret = "s3cret-9f1c"
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := ParseSettings([]string{text + "=" + secret}); err != nil && strings.Contains(err.Error(), secret) {
			t.Fatalf("%q shows the value", err)
		}
		if !strings.ContainsAny(text, ":=") {
			if _, err := ParseSettings([]string{secret + text}); err == nil || strings.Contains(err.Error(), secret) {
				t.Fatalf("%q shows what may be a line of a value", err)
			}
		}
		got, err := ParseSettings([]string{text, "other:A=b"})
		if err != nil {
			if !strings.Contains(err.Error(), "want SERVICE:NAME=VALUE") || strings.ContainsFunc(err.Error(), unicode.IsControl) {
				t.Fatalf("%q: %q", text, err)
			}
			return
		}
		if len(got) > 2 || got["other"]["A"] != "b" {
			t.Fatalf("%q hides another: %v", text, got)
		}
		for service, variables := range got {
			for name, value := range variables {
				if written := service + ":" + name + "=" + value; service == "" || name == "" || written != text && written != "other:A=b" {
					t.Fatalf("%q is read as %q", text, written)
				}
			}
		}
	})
}
