package node

import (
	"math"
	"strings"

	"github.com/panelgate/panelgate/fakes/internal/page"
)

// octets is what has crossed all interfaces one way, in bytes, by the kernel's count of IP packets.
func octets(direction func(nic) traffic) page.Value[snapshot] {
	nics := interfaces()
	return func(s *snapshot) float64 {
		var total float64
		for _, n := range nics {
			total += direction(n).bytes(s)
		}
		return total
	}
}

func receivedOctets() page.Value[snapshot] { return octets(func(n nic) traffic { return n.received }) }
func sentOctets() page.Value[snapshot]     { return octets(func(n nic) traffic { return n.sent }) }

// tcpFields are the statistics of TCP; connections come from scrapers and from those who ask for inferences.
func tcpFields() []field {
	return []field{
		{"TcpExt_ListenDrops", none},
		{"TcpExt_ListenOverflows", none},
		{"TcpExt_SyncookiesFailed", none},
		{"TcpExt_SyncookiesRecv", none},
		{"TcpExt_SyncookiesSent", none},
		{"TcpExt_TCPOFOQueue", counts(0.004, 0, 0.002)},
		{"TcpExt_TCPRcvQDrop", none},
		{"TcpExt_TCPSynRetrans", counts(0.003, 0, 0)},
		{"TcpExt_TCPTimeouts", counts(0.005, 0, 0)},
		{"Tcp_ActiveOpens", counts(0.4, 0, 0)},
		{"Tcp_CurrEstab", withTraffic(24, 0.5)},
		{"Tcp_InErrs", none},
		{"Tcp_InSegs", counts(40, 0, 130)},
		{"Tcp_OutRsts", counts(0.03, 0, 0)},
		{"Tcp_OutSegs", counts(38, 0, 60)},
		{"Tcp_PassiveOpens", counts(0.1, 0, 0.05)},
		{"Tcp_RetransSegs", counts(0.02, 0, 0)},
	}
}

// datagramFields are the statistics of all other protocols.
func datagramFields() []field {
	return []field{
		{"Icmp6_InErrors", none},
		{"Icmp6_InMsgs", counts(0.02, 0, 0)},
		{"Icmp6_OutMsgs", counts(0.03, 0, 0)},
		{"Icmp_InErrors", none},
		{"Icmp_InMsgs", counts(0.05, 0, 0)},
		{"Icmp_OutMsgs", counts(0.05, 0, 0)},
		{"Ip6_InOctets", counts(3.5, 0, 0)},
		{"Ip6_OutOctets", counts(4.2, 0, 0)},
		{"IpExt_InOctets", receivedOctets()},
		{"IpExt_OutOctets", sentOctets()},
		{"Ip_Forwarding", one},
		{"Udp6_InDatagrams", counts(0.01, 0, 0)},
		{"Udp6_InErrors", none},
		{"Udp6_NoPorts", none},
		{"Udp6_OutDatagrams", counts(0.01, 0, 0)},
		{"Udp6_RcvbufErrors", none},
		{"Udp6_SndbufErrors", none},
		{"UdpLite6_InErrors", none},
		{"UdpLite_InErrors", none},
		{"Udp_InDatagrams", counts(1.3, 0, 0)},
		{"Udp_InErrors", none},
		{"Udp_NoPorts", counts(0.0004, 0, 0)},
		{"Udp_OutDatagrams", counts(1.3, 0, 0)},
		{"Udp_RcvbufErrors", none},
		{"Udp_SndbufErrors", none},
	}
}

// netstatFamilies are what the netstat collector prints.
func netstatFamilies() []family {
	var families []family
	for _, f := range append(tcpFields(), datagramFields()...) {
		protocol, statistic, _ := strings.Cut(f.name, "_")
		families = append(families, family{"node_netstat_" + f.name, untyped, "Statistic " + protocol + statistic + ".", single(f.value)})
	}
	return families
}

// tcpPages is the memory of TCP's buffers, in pages.
func tcpPages(s *snapshot) float64 { return 12 + math.Round(3*s.requestRate) }

// socketFields are the states of sockets by protocol.
func socketFields() []field {
	return []field{
		{"FRAG6_inuse", none},
		{"FRAG6_memory", none},
		{"FRAG_inuse", none},
		{"FRAG_memory", none},
		{"RAW6_inuse", one},
		{"RAW_inuse", none},
		{"TCP6_inuse", constant(6)},
		{"TCP_alloc", withTraffic(31, 0.5)},
		{"TCP_inuse", withTraffic(28, 0.5)},
		{"TCP_mem", tcpPages},
		{"TCP_mem_bytes", func(s *snapshot) float64 { return pageSize * tcpPages(s) }},
		{"TCP_orphan", none},
		{"TCP_tw", withTraffic(0, 0.25)},
		{"UDP6_inuse", constant(2)},
		{"UDPLITE6_inuse", none},
		{"UDPLITE_inuse", none},
		{"UDP_inuse", constant(5)},
		{"UDP_mem", constant(2)},
		{"UDP_mem_bytes", constant(2 * pageSize)},
	}
}

// queueFamilies are what the udp_queues collector prints.
func queueFamilies() []family {
	return []family{
		{"node_udp_queues", gauge, "Number of allocated memory in the kernel for UDP datagrams in bytes.", []sample{
			{`ip="v4",queue="rx"`, none}, {`ip="v4",queue="tx"`, none}, {`ip="v6",queue="rx"`, none}, {`ip="v6",queue="tx"`, none},
		}},
	}
}

// sockstatFamilies are what the sockstat collector prints.
func sockstatFamilies() []family {
	families := []family{{"node_sockstat_sockets_used", gauge, "Number of IPv4 sockets in use.", single(withTraffic(310, 0.5))}}
	for _, f := range socketFields() {
		protocol, state, _ := strings.Cut(f.name, "_")
		help := "Number of " + protocol + " sockets in state " + state + "."
		families = append(families, family{"node_sockstat_" + f.name, gauge, help, single(f.value)})
	}
	return families
}
