package attach

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/stack"
)

// certified is a server with a certificate of its own making, and a file with the
// authority that it is by.
func certified(t *testing.T, of x509.Certificate) (server *httptest.Server, authority string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	of.SerialNumber, of.IsCA, of.BasicConstraintsValid = big.NewInt(1), true, true
	der, err := x509.CreateCertificate(rand.Reader, &of, &of, &key.PublicKey, key)
	require.NoError(t, err)
	server = httptest.NewUnstartedServer(http.NotFoundHandler())
	server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	authority = filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(authority, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	return server, authority
}

func TestCertificates(t *testing.T) {
	now := time.Now()
	loopback := []net.IP{net.IPv4(127, 0, 0, 1)}
	for name, tt := range map[string]struct {
		certificate x509.Certificate
		distrusted  bool
		want        []string
	}{
		"expired":     {x509.Certificate{NotBefore: now.Add(-48 * time.Hour), NotAfter: now.Add(-24 * time.Hour), IPAddresses: loopback}, false, []string{"certificate has expired or is not yet valid", "renew its certificate, or set this machine's clock right"}},
		"not yet":     {x509.Certificate{NotBefore: now.Add(24 * time.Hour), NotAfter: now.Add(48 * time.Hour), IPAddresses: loopback}, false, []string{"not yet valid", "this machine's clock"}},
		"of another":  {x509.Certificate{NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour), DNSNames: []string{"elsewhere.example"}}, false, []string{"write --", "with a name that the certificate is for"}},
		"by a client": {x509.Certificate{NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour), IPAddresses: loopback, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}, false, []string{"incompatible key usage", "a certificate that is fit for a server"}},
		"by nobody":   {x509.Certificate{NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour), IPAddresses: loopback}, true, []string{"--ca-file FILE"}},
	} {
		t.Run(name, func(t *testing.T) {
			server, authority := certified(t, tt.certificate)
			if tt.distrusted {
				authority = ""
			}
			for _, opts := range []Options{{Prometheus: server.URL, CAFile: authority}, {Grafana: server.URL, CAFile: authority}} {
				_, err := Start(t.Context(), &stack.Stack{}, opts)
				require.Error(t, err)
				for _, want := range append(tt.want, server.URL) {
					assert.ErrorContains(t, err, want)
				}
			}
		})
	}
}
