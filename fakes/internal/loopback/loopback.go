// Package loopback gives the loopback interface addresses of its own, so that a process can listen on the IP address of a machine
// that is not there.
package loopback

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"
)

// answersWithin bounds the wait for the kernel to answer at an address that it has taken in. It does in milliseconds.
const answersWithin = 5 * time.Second

// Add adds an address to the loopback interface, and returns when it answers there. One that it has already is fine, and so is
// one that it answers by itself.
func Add(ctx context.Context, addr netip.Addr) error {
	if addr.IsLoopback() {
		return nil
	}
	if err := add(addr); err != nil {
		return fmt.Errorf("add %s to the loopback interface: %w", addr, err)
	}
	if err := answers(ctx, addr); err != nil {
		return fmt.Errorf("wait for %s to answer on the loopback interface: %w", addr, err)
	}
	return nil
}

// answers waits until what is sent to an address comes back. Linux puts in the route of an IPv6 address after it has granted the
// address: one can listen there already, and who connects loses the first packet and a second with it.
func answers(ctx context.Context, addr netip.Addr) error {
	ctx, cancel := context.WithTimeout(ctx, answersWithin)
	defer cancel()
	var config net.ListenConfig
	socket, err := config.ListenPacket(ctx, "udp", netip.AddrPortFrom(addr, 0).String())
	if err != nil {
		return err
	}
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	err = comesBack(socket)
	for err != nil && ctx.Err() == nil {
		<-again.C
		err = comesBack(socket)
	}
	return errors.Join(err, socket.Close())
}

// patience is how long a datagram to oneself may take before another is sent.
const patience = 20 * time.Millisecond

// comesBack sends a datagram to the socket's own address and waits a moment for it.
func comesBack(socket net.PacketConn) error {
	if err := socket.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if _, err := socket.WriteTo([]byte{'?'}, socket.LocalAddr()); err != nil {
		return err
	}
	_, _, err := socket.ReadFrom(make([]byte, 1))
	return err
}
