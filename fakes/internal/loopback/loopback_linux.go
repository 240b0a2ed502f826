package loopback

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
)

// device is what Linux calls the loopback interface.
const device = "lo"

func add(addr netip.Addr) error {
	lo, err := net.InterfaceByName(device)
	if err != nil {
		return err
	}
	const flags = syscall.NLM_F_CREATE | syscall.NLM_F_EXCL
	err = request(syscall.RTM_NEWADDR, flags, newAddress(addr, lo.Index))
	switch {
	case err == nil, errors.Is(err, syscall.EEXIST):
		return nil
	case errors.Is(err, syscall.EPERM):
		return fmt.Errorf("%w: it needs CAP_NET_ADMIN; run the container as user 0 with --cap-add NET_ADMIN", err)
	case addr.Is6() && (errors.Is(err, syscall.EACCES) || errors.Is(err, syscall.EOPNOTSUPP) || errors.Is(err, syscall.EAFNOSUPPORT)):
		return fmt.Errorf("%w: IPv6 is off here; run the container with --sysctl net.ipv6.conf.all.disable_ipv6=0", err)
	}
	return err
}

// newAddress is the body of RTM_NEWADDR: struct ifaddrmsg, then the address twice, as a peer's and as one's own.
func newAddress(addr netip.Addr, index int) []byte {
	family, flags := byte(syscall.AF_INET), byte(0)
	if addr.Is6() {
		// Without duplicate address detection: nobody else is on this interface, and until it ends nothing can listen there.
		family, flags = syscall.AF_INET6, syscall.IFA_F_NODAD
	}
	// Of this host's scope, so that the kernel never sends from it to elsewhere.
	body := []byte{family, byte(addr.BitLen()), flags, syscall.RT_SCOPE_HOST}
	body = binary.NativeEndian.AppendUint32(body, uint32(index))
	for _, kind := range []uint16{syscall.IFA_LOCAL, syscall.IFA_ADDRESS} {
		ip := addr.AsSlice() // 4 or 16 bytes: no padding needed
		body = binary.NativeEndian.AppendUint16(body, uint16(syscall.SizeofRtAttr+len(ip)))
		body = binary.NativeEndian.AppendUint16(body, kind)
		body = append(body, ip...)
	}
	return body
}

// answerSize holds the kernel's answer: an error number and the request, of which none is longer than a few dozen bytes.
const answerSize = 4096

// request asks the kernel's routing side for one thing and waits for its word on it.
func request(kind, flags uint16, body []byte) error {
	socket, err := syscall.Socket(syscall.AF_NETLINK, syscall.SOCK_RAW|syscall.SOCK_CLOEXEC, syscall.NETLINK_ROUTE)
	if err != nil {
		return os.NewSyscallError("netlink socket", err)
	}
	defer func() { _ = syscall.Close(socket) }() // nothing is left in it to lose

	message := binary.NativeEndian.AppendUint32(nil, uint32(syscall.SizeofNlMsghdr+len(body)))
	message = binary.NativeEndian.AppendUint16(message, kind)
	message = binary.NativeEndian.AppendUint16(message, syscall.NLM_F_REQUEST|syscall.NLM_F_ACK|flags)
	message = append(message, make([]byte, 8)...) // sequence and port: there is one request, and the kernel knows who asks
	message = append(message, body...)
	if err := syscall.Sendto(socket, message, 0, &syscall.SockaddrNetlink{Family: syscall.AF_NETLINK}); err != nil {
		return os.NewSyscallError("netlink send", err)
	}
	answer := make([]byte, answerSize)
	n, _, err := syscall.Recvfrom(socket, answer, 0)
	if err != nil {
		return os.NewSyscallError("netlink receive", err)
	}
	return verdict(answer[:n])
}

// verdict is the error that an answer carries; its number is 0 where the request was granted.
func verdict(answer []byte) error {
	messages, err := syscall.ParseNetlinkMessage(answer)
	if err != nil {
		return os.NewSyscallError("netlink answer", err)
	}
	for _, m := range messages {
		if m.Header.Type != syscall.NLMSG_ERROR || len(m.Data) < 4 {
			continue
		}
		if number := -int32(binary.NativeEndian.Uint32(m.Data)); number != 0 {
			return syscall.Errno(number)
		}
		return nil
	}
	return errors.New("the kernel did not say whether it did")
}
