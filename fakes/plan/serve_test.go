package plan

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// certificate is a certificate for host "secure" that vouches for itself, and its key.
func certificate(t *testing.T) (certPEM, keyPEM string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "secure"}, DNSNames: []string{"secure"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}))
}

// serve serves a plan until the test ends and returns where its listeners are.
func serve(t *testing.T, p *Plan, errorLog *log.Logger) []string {
	t.Helper()
	server, err := Open(t.Context(), p, errorLog)
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx) }()
	t.Cleanup(func() {
		stop()
		assert.NoError(t, <-ended)
	})
	var addresses []string
	for _, a := range server.Addresses() {
		addresses = append(addresses, a.String())
	}
	return addresses
}

// scrape gets url from the listener at an address, whatever host the url names.
func scrape(t *testing.T, address, url string, roots *x509.CertPool) (status int, body string) {
	t.Helper()
	transport := &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{RootCAs: roots},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			var dialer net.Dialer
			return dialer.DialContext(ctx, network, address)
		},
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	response, err := transport.RoundTrip(request)
	require.NoError(t, err)
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return response.StatusCode, string(text)
}

func TestHostsOfOnePortAreToldApart(t *testing.T) {
	p := small()
	p.Listeners = []Listener{
		{Listen: "127.0.0.1:0", Routes: []Route{
			{Host: "triton:8002", Exporter: "triton", Instance: "triton:8002"},
			{Host: "node", Exporter: "node", Instance: "node:80"},
			{Host: "[fd00::7]:9400", Exporter: "dcgm", Instance: "[fd00::7]:9400"},
		}},
		{Listen: "127.0.0.1:0", Routes: []Route{
			{Host: "triton:8002", Exporter: "triton", Instance: "triton:8002"},
			{Exporter: "node", Instance: "any"},
		}},
		{Listen: "127.0.0.1:0", Routes: []Route{{Host: "triton:8002", Exporter: "triton", Instance: "triton:8002"}}},
	}
	const triton, node = "nv_inference_request_success{", "node_cpu_seconds_total{"
	const nobody = `fakes: nobody answers for Host "`
	addresses := serve(t, p, nil)
	for _, tc := range []struct {
		listener int
		host     string
		want     string
	}{
		{0, "triton:8002", triton},
		{0, "TRITON:8002", triton},
		{0, "triton", nobody + `triton" here; known are [fd00::7]:9400, node, triton:8002`},
		{0, "node", node},
		{0, "node:80", node},
		{0, "node:81", nobody},
		{0, "other", nobody},
		{1, "triton:8002", triton},
		{1, "triton:80", node},
		{1, "other", node},
		{2, "triton:8002", triton},
		{2, "other:1", triton},
	} {
		status, body := scrape(t, addresses[tc.listener], "http://"+tc.host+"/metrics", nil)
		wantStatus := http.StatusOK
		if strings.HasPrefix(tc.want, nobody) {
			wantStatus = http.StatusNotFound
		}
		assert.Equal(t, wantStatus, status, tc.host)
		assert.Contains(t, body, tc.want, tc.host)
	}
	status, _ := scrape(t, addresses[0], "http://[fd00:0::7]:9400/health", nil)
	assert.Equal(t, http.StatusOK, status, "each keeps its own paths; an IPv6 address may be spelled in other ways")
}

// The world that is served is the gate's own: same scenario, same start.
func TestServesThePlansWorld(t *testing.T) {
	p := small()
	p.Start = time.Now().Add(-time.Hour)
	p.Listeners[0].Routes[0].Instance = "gpu-box:8002"
	w, err := p.world()
	require.NoError(t, err)
	m, _ := w.Model("m")
	before := m.Counters(time.Now()).Success
	_, body := scrape(t, serve(t, p, nil)[0], "http://triton:8002/metrics", nil)
	assert.Greater(t, before, int64(10_000))
	served := number(t, body, `nv_inference_request_success{model="m",version="1"} `)
	assert.GreaterOrEqual(t, served, before)
	assert.LessOrEqual(t, served, m.Counters(time.Now()).Success)

	p.Scenario = strings.Replace(p.Scenario, "models:", "gpus: [{}]\nmodels:", 1)
	_, body = scrape(t, serve(t, p, nil)[0], "http://triton:8002/metrics", nil)
	assert.Contains(t, body, fakes.IdentityOf("gpu-box").GPUUUID(0))
}

// A scraper sees the outages of the plan's world.
func TestServesOutages(t *testing.T) {
	p := small()
	p.Start = time.Now().Add(-time.Hour)
	p.Scenario += "events: [{at: 30m, exporters: [triton], outage: refused}, {at: 30m, exporters: [node], outage: lost}]\n"
	p.Listeners = []Listener{{Listen: "127.0.0.1:0", Routes: []Route{
		{Host: "triton:8002", Exporter: "triton", Instance: "triton:8002"},
		{Host: "node:9100", Exporter: "node", Instance: "node:9100"},
		{Host: "dcgm:9400", Exporter: "dcgm", Instance: "dcgm:9400"},
	}}}
	address := serve(t, p, nil)[0]
	get := func(host string, patience time.Duration) error {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/metrics", http.NoBody)
		require.NoError(t, err)
		request.Host = host
		response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
		if err != nil {
			return err
		}
		return response.Body.Close()
	}
	require.ErrorIs(t, get("triton:8002", time.Minute), syscall.ECONNRESET)
	require.ErrorIs(t, get("node:9100", 200*time.Millisecond), context.DeadlineExceeded)
	require.NoError(t, get("dcgm:9400", time.Minute))
}

func number(t *testing.T, body, series string) int64 {
	t.Helper()
	_, rest, found := strings.Cut(body, series)
	require.True(t, found, body)
	text, _, _ := strings.Cut(rest, "\n")
	n, ok := new(big.Int).SetString(text, 10)
	require.True(t, ok, text)
	return n.Int64()
}

func TestTLS(t *testing.T) {
	p := small()
	p.Listeners[0].Certificate, p.Listeners[0].Key = certificate(t)
	p.Listeners[0].Routes = []Route{{Host: "secure", Exporter: "node", Instance: "secure:443"}, {Host: "secure:80", Exporter: "dcgm", Instance: "b"}}
	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM([]byte(p.Listeners[0].Certificate)))
	var said safeBuffer
	address := serve(t, p, log.New(&said, "", 0))[0]
	for _, host := range []string{"secure", "secure:443"} {
		status, body := scrape(t, address, "https://"+host+"/metrics", roots)
		assert.Equal(t, http.StatusOK, status)
		assert.Contains(t, body, "node_cpu_seconds_total{")
	}
	status, _ := scrape(t, address, "http://secure/metrics", nil)
	assert.Equal(t, http.StatusBadRequest, status, "plain HTTP is not spoken there")
}

// safeBuffer may be written to and read at once.
type safeBuffer struct {
	lock sync.Mutex
	text bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.lock.Lock()
	defer b.lock.Unlock()
	return b.text.Write(p)
}

func (b *safeBuffer) String() string {
	b.lock.Lock()
	defer b.lock.Unlock()
	return b.text.String()
}

func TestOpenLeavesNothingOpenWhenOneFails(t *testing.T) {
	var config net.ListenConfig
	other, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, other.Close()) }()
	free, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, free.Close())

	p := small()
	p.Listeners[0].Listen = free.Addr().String()
	p.Listeners = append(p.Listeners, Listener{Listen: other.Addr().String(), Forward: "box:1"})
	_, err = Open(t.Context(), p, nil)
	require.ErrorIs(t, err, syscall.EADDRINUSE)
	require.ErrorContains(t, err, "serve forward: port taken: something listens on "+other.Addr().String())
	again, err := config.Listen(t.Context(), "tcp", free.Addr().String())
	require.NoError(t, err, "the first listener is still open")
	require.NoError(t, again.Close())

	p.Listeners[1].Listen = "192.0.2.1:9100"
	_, err = Open(t.Context(), p, nil)
	require.ErrorIs(t, err, syscall.EADDRNOTAVAIL)
	assert.ErrorContains(t, err, "no interface here has the address of 192.0.2.1:9100")
}

func TestCloseWithoutServing(t *testing.T) {
	server, err := Open(t.Context(), small(), nil)
	require.NoError(t, err)
	address := server.Addresses()[0].String()
	require.NoError(t, server.Close())
	var config net.ListenConfig
	again, err := config.Listen(t.Context(), "tcp", address)
	require.NoError(t, err)
	require.NoError(t, again.Close())
}

// When one listener fails, the others must not go on as if nothing were.
func TestServeEndsWhenOneListenerFails(t *testing.T) {
	p := small()
	p.Listeners = append(p.Listeners, Listener{Listen: "127.0.0.1:0", Forward: "box:1"})
	for i := range p.Listeners {
		server, err := Open(t.Context(), p, nil)
		require.NoError(t, err)
		require.NoError(t, server.listeners[i].Close())
		require.ErrorIs(t, server.Serve(t.Context()), net.ErrClosed)
	}
}
