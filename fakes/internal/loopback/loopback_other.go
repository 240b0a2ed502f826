//go:build !linux

package loopback

import (
	"errors"
	"fmt"
	"net/netip"
	"runtime"
)

func add(netip.Addr) error {
	return fmt.Errorf("%s cannot; this is for Linux, as in a container: %w", runtime.GOOS, errors.ErrUnsupported)
}
