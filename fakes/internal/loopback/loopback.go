// Package loopback gives the loopback interface addresses of its own, so that a process can listen on the IP address of a machine
// that is not there.
package loopback

import (
	"fmt"
	"net/netip"
)

// Add adds an address to the loopback interface. One that it has already is fine, and so is one that it answers by itself.
func Add(addr netip.Addr) error {
	if addr.IsLoopback() {
		return nil
	}
	if err := add(addr); err != nil {
		return fmt.Errorf("add %s to the loopback interface: %w", addr, err)
	}
	return nil
}
