package listening

import (
	"net"
	"net/netip"
	"os"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

func TestTCP(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("it reads Linux' tables")
	}
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		l, err := net.Listen("tcp", address)
		if err != nil && address != "127.0.0.1:0" {
			continue // no IPv6 here
		}
		require.NoError(t, err)
		found, err := TCP(os.Getpid())
		require.NoError(t, err)
		assert.Contains(t, found, netip.MustParseAddrPort(l.Addr().String()))
		assert.Equal(t, 1, OnLoopback(t, os.Getpid()))
		require.NoError(t, l.Close())
		assert.Zero(t, OnLoopback(t, os.Getpid()))
	}
}

// failing notes that a test would have failed.
type failing struct {
	testing.TB
	failed int
}

func (f *failing) Helper()               {}
func (f *failing) Errorf(string, ...any) { f.failed++ }

// Addresses as the kernel prints them: a socket that really listens on them would be
// reached by others while the test runs.
func TestMoreThanLoopbackFails(t *testing.T) {
	for text, fails := range map[string]int{
		"0100007F:1F90": 0, "00000000:1F90": 1, "0200A8C0:0050": 1,
		"00000000000000000000000001000000:0050": 0, "00000000000000000000000000000000:0050": 1, "0000000000000000FFFF00000100007F:0050": 0,
	} {
		at, err := parse(text)
		require.NoError(t, err)
		f := &failing{TB: t}
		onLoopback(f, []netip.AddrPort{at})
		assert.Equal(t, fails, f.failed, text)
	}
}

func TestParse(t *testing.T) {
	for _, text := range []string{"", "0100007F", "0100007:1F90", "0100007F:", "01:1", "zz:1"} {
		_, err := parse(text)
		assert.Error(t, err, text)
	}
}
