package node

import (
	"math"

	"github.com/panelgate/panelgate/fakes"
)

// gigabit25 is the speed of the network interface, 25 Gbit/s, in bytes per second.
const gigabit25 = 25e9 / 8

// nic is a network interface.
type nic struct {
	device         string
	mtu            float64
	up             float64 // the kernel calls the loopback's state unknown, which is not up
	received, sent traffic
}

// traffic is one direction of an interface: what flows by itself per second, and what each inference request adds, in bytes.
type traffic struct{ perSecond, perRequest float64 }

// packetBytes is the size of an average packet.
const packetBytes = 1100

func (t traffic) bytes(s *snapshot) float64 {
	return math.Floor(t.perSecond*s.uptime + t.perRequest*s.requests)
}

func (t traffic) packets(s *snapshot) float64 { return math.Floor(t.bytes(s) / packetBytes) }

func interfaces() []nic {
	return []nic{
		{device: "eth0", mtu: 1500, up: 1, received: traffic{5200, 148_000}, sent: traffic{7400, 9_600}},
		{device: "lo", mtu: 65536, received: traffic{2100, 1_300}, sent: traffic{2100, 1_300}},
	}
}

func perInterface(value func(*snapshot, nic) float64) []sample {
	var samples []sample
	for _, n := range interfaces() {
		samples = append(samples, sample{`device="` + n.device + `"`, func(s *snapshot) float64 { return value(s, n) }})
	}
	return samples
}

func infoSamples(id fakes.Identity) []sample {
	return []sample{
		{`address="00:00:00:00:00:00",adminstate="up",broadcast="00:00:00:00:00:00",device="lo",duplex="",ifalias="",operstate="unknown"`, one},
		{`address="` + id.MAC() + `",adminstate="up",broadcast="ff:ff:ff:ff:ff:ff",device="eth0",duplex="full",ifalias="",operstate="up"`, one},
	}
}

// networkFamilies are what the netdev, netclass, netstat and sockstat collectors print.
func networkFamilies(id fakes.Identity) []family {
	return []family{
		{"node_netstat_Tcp_ActiveOpens", untyped, "Statistic TcpActiveOpens.",
			single(func(s *snapshot) float64 { return math.Floor(0.4 * s.uptime) })},
		{"node_netstat_Tcp_CurrEstab", untyped, "Statistic TcpCurrEstab.",
			single(func(s *snapshot) float64 { return 24 + math.Round(s.requestRate/2) })},
		{"node_netstat_Tcp_InErrs", untyped, "Statistic TcpInErrs.",
			single(func(s *snapshot) float64 { return 0 })},
		{"node_netstat_Tcp_InSegs", untyped, "Statistic TcpInSegs.",
			single(func(s *snapshot) float64 { return math.Floor(40*s.uptime + 130*s.requests) })},
		{"node_netstat_Tcp_OutSegs", untyped, "Statistic TcpOutSegs.",
			single(func(s *snapshot) float64 { return math.Floor(38*s.uptime + 60*s.requests) })},
		{"node_netstat_Tcp_PassiveOpens", untyped, "Statistic TcpPassiveOpens.",
			single(func(s *snapshot) float64 { return math.Floor(0.1*s.uptime + 0.05*s.requests) })},
		{"node_netstat_Tcp_RetransSegs", untyped, "Statistic TcpRetransSegs.",
			single(func(s *snapshot) float64 { return math.Floor(0.02 * s.uptime) })},
		{"node_network_info", gauge, "Non-numeric data from /sys/class/net/<iface>, value is always 1.",
			infoSamples(id)},
		{"node_network_mtu_bytes", gauge, "Network device property: mtu_bytes",
			perInterface(func(s *snapshot, n nic) float64 { return n.mtu })},
		{"node_network_receive_bytes_total", counter, "Network device statistic receive_bytes.",
			perInterface(func(s *snapshot, n nic) float64 { return n.received.bytes(s) })},
		{"node_network_receive_drop_total", counter, "Network device statistic receive_drop.",
			perInterface(func(s *snapshot, n nic) float64 { return 0 })},
		{"node_network_receive_errs_total", counter, "Network device statistic receive_errs.",
			perInterface(func(s *snapshot, n nic) float64 { return 0 })},
		{"node_network_receive_packets_total", counter, "Network device statistic receive_packets.",
			perInterface(func(s *snapshot, n nic) float64 { return n.received.packets(s) })},
		{"node_network_speed_bytes", gauge, "Network device property: speed_bytes",
			[]sample{{`device="eth0"`, func(*snapshot) float64 { return gigabit25 }}}},
		{"node_network_transmit_bytes_total", counter, "Network device statistic transmit_bytes.",
			perInterface(func(s *snapshot, n nic) float64 { return n.sent.bytes(s) })},
		{"node_network_transmit_drop_total", counter, "Network device statistic transmit_drop.",
			perInterface(func(s *snapshot, n nic) float64 { return 0 })},
		{"node_network_transmit_errs_total", counter, "Network device statistic transmit_errs.",
			perInterface(func(s *snapshot, n nic) float64 { return 0 })},
		{"node_network_transmit_packets_total", counter, "Network device statistic transmit_packets.",
			perInterface(func(s *snapshot, n nic) float64 { return n.sent.packets(s) })},
		{"node_network_up", gauge, "Value is 1 if operstate is 'up', 0 otherwise.",
			perInterface(func(s *snapshot, n nic) float64 { return n.up })},
		{"node_sockstat_TCP_alloc", gauge, "Number of TCP sockets in state alloc.",
			single(func(s *snapshot) float64 { return 31 + math.Round(s.requestRate/2) })},
		{"node_sockstat_TCP_inuse", gauge, "Number of TCP sockets in state inuse.",
			single(func(s *snapshot) float64 { return 28 + math.Round(s.requestRate/2) })},
		{"node_sockstat_TCP_tw", gauge, "Number of TCP sockets in state tw.",
			single(func(s *snapshot) float64 { return math.Round(s.requestRate / 4) })},
		{"node_sockstat_UDP_inuse", gauge, "Number of UDP sockets in state inuse.",
			single(func(s *snapshot) float64 { return 5 })},
		{"node_sockstat_sockets_used", gauge, "Number of IPv4 sockets in use.",
			single(func(s *snapshot) float64 { return 310 + math.Round(s.requestRate/2) })},
	}
}
