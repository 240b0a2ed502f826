// Package listening tells tests on which addresses a process listens, as Linux has it.
package listening

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TCP are the addresses on which a process accepts connections; none where it has ended.
func TCP(pid int) ([]netip.AddrPort, error) {
	proc := filepath.Join("/proc", strconv.Itoa(pid))
	own := sockets(proc)
	if len(own) == 0 {
		return nil, nil
	}
	var out []netip.AddrPort
	for _, table := range []string{"tcp", "tcp6"} {
		data, err := os.ReadFile(filepath.Join(proc, "net", table))
		if err != nil {
			continue // it has ended, or there is no IPv6
		}
		for line := range strings.Lines(string(data)) {
			const address, state, inode, listens = 1, 3, 9, "0A"
			fields := strings.Fields(line)
			if len(fields) <= inode || fields[state] != listens || !own[fields[inode]] {
				continue
			}
			at, err := parse(fields[address])
			if err != nil {
				return nil, fmt.Errorf("read what process %d listens on: %w", pid, err)
			}
			out = append(out, at)
		}
	}
	return out, nil
}

var socket = regexp.MustCompile(`^socket:\[(\d+)\]$`)

// sockets are the inodes of those that a process has open.
func sockets(proc string) map[string]bool {
	files, err := filepath.Glob(filepath.Join(proc, "fd", "*"))
	if err != nil {
		return nil
	}
	out := map[string]bool{}
	for _, file := range files {
		target, err := os.Readlink(file)
		if m := socket.FindStringSubmatch(target); err == nil && m != nil {
			out[m[1]] = true
		}
	}
	return out
}

// parse reads an address as the kernel prints it: 0100007F:1F90, in words of the
// machine's order.
func parse(text string) (netip.AddrPort, error) {
	host, port, ok := strings.Cut(text, ":")
	raw, err := hex.DecodeString(host)
	if !ok || err != nil || len(raw)%4 != 0 {
		return netip.AddrPort{}, fmt.Errorf("%q is no address", text)
	}
	for i := 0; i < len(raw); i += 4 {
		binary.NativeEndian.PutUint32(raw[i:], binary.BigEndian.Uint32(raw[i:]))
	}
	number, err := strconv.ParseUint(port, 16, 16)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("%q has no port: %w", text, err)
	}
	ip, ok := netip.AddrFromSlice(raw)
	if !ok {
		return netip.AddrPort{}, fmt.Errorf("%q is no address", text)
	}
	return netip.AddrPortFrom(ip.Unmap(), uint16(number)), nil
}

// OnLoopback fails the test where a process listens on more than this machine's own
// interface, and returns on how many addresses it listens.
func OnLoopback(tb testing.TB, pid int) int {
	tb.Helper()
	found, err := TCP(pid)
	if err != nil {
		tb.Error(err)
	}
	onLoopback(tb, found)
	return len(found)
}

func onLoopback(tb testing.TB, found []netip.AddrPort) {
	tb.Helper()
	for _, at := range found {
		if !at.Addr().IsLoopback() {
			tb.Errorf("it listens on %s, which others reach", at)
		}
	}
}
