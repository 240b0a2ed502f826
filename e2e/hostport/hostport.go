// Package hostport finds out whether a TCP port of this machine is taken, and by
// whom, where the machine tells.
package hostport

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/procfs"
)

// patience is how long a connection to this machine itself may take.
const patience = 500 * time.Millisecond

// Taken says whether somebody listens at a port. ip is the address that is to be
// published, "" or an unspecified one for all. It knocks rather than listen, so
// that nothing is opened to the network.
func Taken(ctx context.Context, ip string, port int) bool {
	if parsed := net.ParseIP(ip); parsed == nil || parsed.IsUnspecified() {
		ip = "127.0.0.1"
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(ip, strconv.Itoa(port)))
	if err != nil {
		return false
	}
	// What matters is that somebody answered, not how the call ended.
	_ = conn.Close()
	return true
}

// Holder names the process that listens at a port, as "name (pid)". It is "" where
// the system does not tell, such as for another user's process or off Linux.
func Holder(port int) string {
	fs, err := procfs.NewDefaultFS()
	if err != nil {
		return ""
	}
	sockets := listeners(fs, port)
	procs, err := fs.AllProcs()
	if err != nil || len(sockets) == 0 {
		return ""
	}
	for _, p := range procs {
		files, err := p.FileDescriptorTargets()
		if err != nil {
			continue // gone, or not ours to see
		}
		if !slices.ContainsFunc(files, func(f string) bool { return slices.Contains(sockets, f) }) {
			continue
		}
		if name, err := p.Comm(); err == nil {
			return fmt.Sprintf("%s (pid %d)", name, p.PID)
		}
	}
	return ""
}

// listeners are the sockets that listen at a port, as file descriptors name them.
func listeners(fs procfs.FS, port int) []string {
	const listening = 0x0A // TCP_LISTEN
	var out []string
	for _, read := range []func() (procfs.NetTCP, error){fs.NetTCP, fs.NetTCP6} { //nolint:staticcheck // netlink is a lot of machinery for one look
		lines, err := read()
		if err != nil {
			continue // no such protocol here
		}
		for _, l := range lines {
			if l.St == listening && l.LocalPort == uint64(port) {
				out = append(out, fmt.Sprintf("socket:[%d]", l.Inode))
			}
		}
	}
	return out
}
