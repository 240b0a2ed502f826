package loopback

import (
	"encoding/binary"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// inNamespace is set in the process that has namespaces of its own.
const inNamespace = "FAKES_TEST_IN_NAMESPACE"

func TestAdd(t *testing.T) {
	if os.Getenv(inNamespace) == "" {
		runInNamespace(t, syscall.CLONE_NEWUSER|syscall.CLONE_NEWNET)
		return
	}
	lo, err := net.InterfaceByName(device)
	require.NoError(t, err)
	up := binary.NativeEndian.AppendUint32(make([]byte, 4), uint32(lo.Index))
	up = binary.NativeEndian.AppendUint32(up, syscall.IFF_UP) // flags
	up = binary.NativeEndian.AppendUint32(up, syscall.IFF_UP) // which of them to change
	require.NoError(t, request(syscall.RTM_NEWLINK, 0, up))

	for _, address := range []string{"10.20.30.40", "fd00::7"} {
		t.Run(address, func(t *testing.T) {
			addr := netip.MustParseAddr(address)
			if addr.Is6() && !hasIPv6() {
				t.Skip("no IPv6 here")
			}
			require.NoError(t, Add(t.Context(), addr))
			passByteThrough(t, netip.AddrPortFrom(addr, 9100).String())
			require.NoError(t, Add(t.Context(), addr), "one that is there already")
		})
	}
}

// runInNamespace runs the test again where it can do no harm.
func runInNamespace(t *testing.T, namespaces uintptr) {
	command := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	command.Env = append(os.Environ(), inNamespace+"=1")
	command.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  namespaces,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
	output, err := command.CombinedOutput()
	if command.Process == nil {
		t.Skip("no namespaces to be had: ", err)
	}
	t.Logf("%s", output)
	require.NoError(t, err)
}

func hasIPv6() bool {
	_, err := os.Stat("/proc/net/if_inet6")
	return err == nil
}

func passByteThrough(t *testing.T, address string) {
	t.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", address)
	require.NoError(t, err)
	defer func() { require.NoError(t, listener.Close()) }()
	var dialer net.Dialer
	near, err := dialer.DialContext(t.Context(), "tcp", address)
	require.NoError(t, err)
	defer func() { require.NoError(t, near.Close()) }()
	far, err := listener.Accept()
	require.NoError(t, err)
	defer func() { require.NoError(t, far.Close()) }()
	_, err = near.Write([]byte{'x'})
	require.NoError(t, err)
	one := make([]byte, 1)
	_, err = far.Read(one)
	require.NoError(t, err)
	assert.Equal(t, "x", string(one))
}

// Root of a user namespace has no say over the network outside of it.
func TestAddSaysWhatItNeeds(t *testing.T) {
	if os.Getenv(inNamespace) == "" {
		runInNamespace(t, syscall.CLONE_NEWUSER)
		return
	}
	err := Add(t.Context(), netip.MustParseAddr("10.20.30.40"))
	require.ErrorIs(t, err, syscall.EPERM)
	assert.ErrorContains(t, err, "add 10.20.30.40 to the loopback interface: ")
	assert.ErrorContains(t, err, "--cap-add NET_ADMIN")
}

func TestLoopbackAddressesNeedNoAdding(t *testing.T) {
	for _, address := range []string{"127.0.0.1", "127.9.9.9", "::1"} {
		assert.NoError(t, Add(t.Context(), netip.MustParseAddr(address)))
	}
}
