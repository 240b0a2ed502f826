package fakes

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net"
	"strconv"
)

// Identity is what tells one machine from another: names and serial numbers, all derived from the address scraped. Exporters
// scraped at one host share them, whatever their ports, as Triton and dcgm-exporter on one machine name the same GPUs.
type Identity struct {
	host string
}

// IdentityOf is the identity of the machine at an address, "host:port" or "host".
func IdentityOf(instance string) Identity {
	if host, _, err := net.SplitHostPort(instance); err == nil {
		return Identity{host: host}
	}
	return Identity{host: instance}
}

// GPUUUID is the UUID of the machine's i-th GPU, in NVIDIA's spelling.
func (id Identity) GPUUUID(i int) string {
	b := id.digest("gpu/" + strconv.Itoa(i))
	return fmt.Sprintf("GPU-%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

// ContainerID is the short id of the container that a process of this kind runs in, which is also its hostname by default.
func (id Identity) ContainerID(kind string) string {
	b := id.digest("container/" + kind)
	return hex.EncodeToString(b[:6])
}

// NodeName is the machine's own hostname.
func (id Identity) NodeName() string {
	b := id.digest("node")
	return "gpu-" + hex.EncodeToString(b[:3])
}

// MAC is the hardware address of the machine's network interface.
func (id Identity) MAC() string {
	b := id.digest("mac")
	return net.HardwareAddr{0x02, b[0], b[1], b[2], b[3], b[4]}.String()
}

// Number is a number in 0..n-1 that differs between machines, for such things as PCI addresses.
func (id Identity) Number(what string, n uint64) uint64 {
	b := id.digest("number/" + what)
	return binary.BigEndian.Uint64(b[:8]) % n
}

func (id Identity) digest(what string) [sha256.Size]byte {
	return sha256.Sum256([]byte(id.host + "\x00" + what))
}
