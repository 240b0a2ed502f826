package hostport

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTakenAndHolder(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := l.Addr().(*net.TCPAddr).Port
	for _, ip := range []string{"", "0.0.0.0", "127.0.0.1"} {
		assert.True(t, Taken(t.Context(), ip, port), "%q", ip)
	}
	if runtime.GOOS == "linux" {
		assert.Contains(t, Holder(port), fmt.Sprintf("(pid %d)", os.Getpid()))
	}
	require.NoError(t, l.Close())
	assert.False(t, Taken(t.Context(), "", port))
	assert.Empty(t, Holder(port))
}
