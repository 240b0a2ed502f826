package main

import (
	"bytes"
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// hostile are exporters that a live target may turn out to be, by the path at which they
// answer. Each is the stack's fault, and is to be told with what Prometheus says.
func hostile() []hostileCase {
	return []hostileCase{
		{"hangs", hang, "context deadline exceeded", "takes longer than scrape_timeout"},
		{"trickles", trickle, "context deadline exceeded", "takes longer than scrape_timeout"},
		{"ends-half-way", says("", "some 1\n", "Content-Length", "100"), "unexpected EOF", "the scrape fails"},
		{"hangs-up", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "EOF", "the scrape fails"},
		{"redirects", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) }, "stopped after 10 redirects", "the scrape fails"},
		{"no-content", status(http.StatusNoContent), "HTTP status 204", "answers with an error"},
		{"overloaded", status(http.StatusTooManyRequests), "HTTP status 429", "answers with an error"},
		{"broken", status(http.StatusInternalServerError), "HTTP status 500", "answers with an error"},
		{"page", says("text/html; charset=utf-8", "<!DOCTYPE html><title>Log in</title>"), "text/html", "cannot be parsed"},
		{"no-type", says("application/octet-stream", "some 1\n"), "octet-stream", "cannot be parsed"},
		{"protobuf", says("application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited", "\xff\xff\xff\xff\x07garbage"), "", "cannot be parsed"},
		{"cut-off", says("", "some 1\nother{a=\"b"), "expected", "cannot be parsed"},
		{"no-number", says("", "some 1.2.3\n"), `"1.2.3"`, "cannot be parsed"},
		{"no-text", says("", "some{a=\"\xff\xfe\"} 1\n"), "UTF-8", "cannot be parsed"},
		{"no-gzip", says("", "some 1\n", "Content-Encoding", "gzip"), "gzip", ""},
		{"half-gzip", says("", string(packed(bytes.Repeat([]byte("some 1\n"), 100))[:20]), "Content-Encoding", "gzip"), "unexpected EOF", "the scrape fails"},
		{"hundred-megabytes", repeat([]byte("# "+strings.Repeat("x", 1<<20)+"\n"), 100), "body size limit exceeded (the job sets no body_size_limit", "more than body_size_limit"},
		{"gzip-bomb", repeat(packed(bytes.Repeat([]byte("#"), 16<<20)), 640, "Content-Encoding", "gzip"), "body size limit exceeded (the job sets no body_size_limit", "more than body_size_limit"},
		{"million-series", millionSeries, "sample limit exceeded (the job sets no sample_limit", "more than sample_limit"},
	}
}

type hostileCase struct {
	name   string
	answer http.HandlerFunc
	error  string // what Prometheus says
	says   string // what the finding says
}

func hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func trickle(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", plainText)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-r.Context().Done():
			return
		case <-tick.C:
			_, _ = w.Write([]byte("#"))
			_ = http.NewResponseController(w).Flush()
		}
	}
}

const plainText = "text/plain; version=0.0.4"

// says answers with a text, and with headers by name and value.
func says(kind, text string, headers ...string) http.HandlerFunc {
	return repeatOf(kind, []byte(text), 1, headers...)
}

func repeat(part []byte, times int, headers ...string) http.HandlerFunc {
	return repeatOf("", part, times, headers...)
}

func repeatOf(kind string, part []byte, times int, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if kind == "" {
			kind = plainText
		}
		w.Header().Set("Content-Type", kind)
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		for range times {
			if _, err := w.Write(part); err != nil {
				return // the scrape has had enough
			}
		}
	}
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

func packed(text []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(text) // memory takes it all
	_ = z.Close()
	return b.Bytes()
}

func millionSeries(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", plainText)
	var b bytes.Buffer
	for i := range 1_000_000 {
		fmt.Fprintf(&b, "m{i=\"%d\"} 1\n", i)
	}
	_, _ = w.Write(b.Bytes())
}

// useless are exporters that Prometheus takes for up, and from which it gets nothing: the
// panels that ask them are empty.
func useless() map[string]http.HandlerFunc {
	now := time.Now()
	return map[string]http.HandlerFunc{
		"empty":       says("", ""),
		"of_1970":     says("", "of_1970 1 1000\n"),
		"of_tomorrow": says("", fmt.Sprintf("of_tomorrow 1 %d\n", now.Add(24*time.Hour).UnixMilli())),
		"not_numbers": says("", "not_numbers NaN\n"),
	}
}

// TestHostileTargets scrapes everything that an exporter can do wrong in one run.
func TestHostileTargets(t *testing.T) {
	t.Parallel()
	f := newFaulty(t)
	mux := http.NewServeMux()
	var jobs strings.Builder
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	address := server.Listener.Addr().String()
	for _, c := range hostile() {
		mux.HandleFunc("/"+c.name, c.answer)
		timeout := "60s"
		if strings.Contains(c.error, "deadline") {
			timeout = "1s"
		}
		fmt.Fprintf(&jobs, "  - {job_name: %s, metrics_path: /%s, scrape_interval: 60s, scrape_timeout: %s, static_configs: [{targets: ['%s']}]}\n", c.name, c.name, timeout, address)
	}
	var panels, mapped []string
	for name, answer := range useless() {
		mux.HandleFunc("/"+name, answer)
		fmt.Fprintf(&jobs, "  - {job_name: %s, metrics_path: /%s, static_configs: [{targets: ['%s']}]}\n", name, name, address)
		panels = append(panels, fmt.Sprintf(`{"id": %d, "type": "timeseries", "title": %q, "datasource": {"type": "prometheus", "uid": "prometheus"}, "targets": [{"refId": "A", "expr": %q}]}`,
			len(panels)+1, name, name))
	}
	// The same series twice: Prometheus keeps the first value, and so is up.
	mux.HandleFunc("/twice", says("", "twice 1\ntwice 2\n"))
	fmt.Fprintf(&jobs, "  - {job_name: twice, metrics_path: /twice, static_configs: [{targets: ['%s']}]}\n", address)
	fmt.Fprintf(&jobs, "  - {job_name: expired, scheme: https, static_configs: [{targets: ['%s']}]}\n", expired(t))
	fmt.Fprintf(&jobs, "  - {job_name: nobody, static_configs: [{targets: ['%s']}]}\n", free(t))
	for _, line := range strings.Split(strings.TrimSpace(jobs.String()), "\n") {
		name, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "- {job_name: "), ",")
		mapped = append(mapped, fmt.Sprintf("  - {match: {job: %s}, live: true}\n", name))
	}
	yml, err := os.ReadFile(filepath.Join(f.dir, "stack/prometheus/prometheus.yml"))
	require.NoError(t, err)
	f.write("stack/prometheus/prometheus.yml", string(yml)+jobs.String())
	f.write("panelgate.yml", "version: 1\ntargets:\n"+strings.Join(mapped, ""))
	f.write("stack/grafana/provisioning/dashboards/boards/hostile.json",
		`{"uid": "hostile", "title": "Hostile", "schemaVersion": 39, "time": {"from": "now-1h", "to": "now"}, "panels": [`+strings.Join(panels, ",")+`]}`)

	require.Equal(t, exitFindings, f.run("", "--dashboard", "hostile", "--json", "result.json", "--timeout", "4m"), f.stderr.String())
	result := f.result("result.json", exitFindings)
	downs := map[string]string{}
	empty := map[string]string{}
	for _, finding := range result.Findings {
		switch finding.Rule {
		case "prometheus/target-down":
			_, job, _ := strings.Cut(finding.Message, `of job "`)
			job, _, _ = strings.Cut(job, `"`)
			downs[job] = finding.Message + "\n" + strings.Join(finding.Evidence, "\n")
			assert.NotEmpty(t, finding.Fix, job)
		case "panel/no-data", "panel/nan":
			empty[finding.Panel] = finding.Rule
		}
	}
	for _, c := range append(hostile(), hostileCase{name: "expired", error: "certificate has expired", says: "the scrape fails"},
		hostileCase{name: "nobody", error: "connection refused", says: "the connection is refused"}) {
		assert.Contains(t, downs[c.name], c.error, c.name)
		assert.Contains(t, downs[c.name], c.says, c.name)
		delete(downs, c.name)
	}
	assert.Empty(t, downs, "these are up")
	assert.Equal(t, map[string]string{"empty": "panel/no-data", "of_1970": "panel/no-data", "of_tomorrow": "panel/no-data", "not_numbers": "panel/nan"}, empty)
	const most = 4 << 30 // the race detector has its share
	assert.Less(t, f.peak, int64(most))
	t.Logf("peak of %d MB", f.peak>>20)
}

func (f *faulty) write(name, text string) {
	require.NoError(f.t, os.WriteFile(filepath.Join(f.dir, name), []byte(text), 0o644))
}

// expired is the address of a server whose certificate has expired.
func expired(t *testing.T) string {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(-time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	require.NoError(t, err)
	server := httptest.NewUnstartedServer(says("", "some 1\n"))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // it complains of whoever does not trust it
	server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// free is an address at which nobody listens for as long as nobody else takes it.
func free(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return l.Addr().String()
}
