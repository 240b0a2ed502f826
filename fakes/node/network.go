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
	index          float64
	mtu            float64
	up             float64 // the kernel calls the loopback's state unknown, which is not up
	flags          float64 // IFF_UP and the like
	kind           float64 // ARPHRD_ETHER and the like
	named          float64 // who gave it its name: 1 the kernel by counting, 2 the kernel for good
	carrierUps     float64
	carrierDowns   float64
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
		{device: "eth0", index: 2, mtu: 1500, up: 1, flags: 0x1003, kind: 1, named: 1, carrierUps: 1, carrierDowns: 1,
			received: traffic{5200, 148_000}, sent: traffic{7400, 9_600}},
		{device: "lo", index: 1, mtu: 65536, flags: 0x9, kind: 772, named: 2,
			received: traffic{2100, 1_300}, sent: traffic{2100, 1_300}},
	}
}

func perInterface(value func(*snapshot, nic) float64) []sample {
	var samples []sample
	for _, n := range interfaces() {
		samples = append(samples, sample{`device="` + n.device + `"`, func(s *snapshot) float64 { return value(s, n) }})
	}
	return samples
}

// arpFamilies are what the arp collector prints.
func arpFamilies() []family {
	return []family{{"node_arp_entries", gauge, "ARP entries by device", []sample{{`device="eth0"`, constant(7)}}}}
}

// networkFamilies are what the netdev collector prints.
func networkFamilies() []family {
	var families []family
	for _, f := range []struct {
		statistic string
		value     func(*snapshot, nic) float64
	}{
		{"receive_bytes", func(s *snapshot, n nic) float64 { return n.received.bytes(s) }},
		{"receive_multicast", func(s *snapshot, n nic) float64 { return math.Floor(0.2 * s.uptime * n.up) }},
		{"receive_packets", func(s *snapshot, n nic) float64 { return n.received.packets(s) }},
		{"transmit_bytes", func(s *snapshot, n nic) float64 { return n.sent.bytes(s) }},
		{"transmit_packets", func(s *snapshot, n nic) float64 { return n.sent.packets(s) }},
	} {
		families = append(families, statistic(f.statistic, f.value))
	}
	for _, name := range []string{
		"receive_compressed", "receive_drop", "receive_errs", "receive_fifo", "receive_frame", "receive_nohandler",
		"transmit_carrier", "transmit_colls", "transmit_compressed", "transmit_drop", "transmit_errs", "transmit_fifo",
	} {
		families = append(families, statistic(name, func(*snapshot, nic) float64 { return 0 }))
	}
	return families
}

func statistic(name string, value func(*snapshot, nic) float64) family {
	return family{"node_network_" + name + "_total", counter, "Network device statistic " + name + ".", perInterface(value)}
}

func infoSamples(id fakes.Identity) []sample {
	return []sample{
		{`address="00:00:00:00:00:00",adminstate="up",broadcast="00:00:00:00:00:00",device="lo",duplex="",ifalias="",operstate="unknown"`, one},
		{`address="` + id.MAC() + `",adminstate="up",broadcast="ff:ff:ff:ff:ff:ff",device="eth0",duplex="full",ifalias="",operstate="up"`, one},
	}
}

// interfaceFamilies are what the netclass collector prints.
func interfaceFamilies(id fakes.Identity) []family {
	families := []family{
		{"node_network_info", gauge, "Non-numeric data from /sys/class/net/<iface>, value is always 1.", infoSamples(id)},
		{"node_network_speed_bytes", gauge, "Network device property: speed_bytes", []sample{{`device="eth0"`, constant(gigabit25)}}},
		{"node_network_up", gauge, "Value is 1 if operstate is 'up', 0 otherwise.",
			perInterface(func(_ *snapshot, n nic) float64 { return n.up })},
	}
	for _, f := range []struct {
		property, kind string
		value          func(nic) float64
	}{
		{"address_assign_type", gauge, func(nic) float64 { return 0 }},
		{"carrier", gauge, func(nic) float64 { return 1 }},
		{"carrier_changes_total", counter, func(n nic) float64 { return n.carrierUps + n.carrierDowns }},
		{"carrier_down_changes_total", counter, func(n nic) float64 { return n.carrierDowns }},
		{"carrier_up_changes_total", counter, func(n nic) float64 { return n.carrierUps }},
		{"device_id", gauge, func(nic) float64 { return 0 }},
		{"dormant", gauge, func(nic) float64 { return 0 }},
		{"flags", gauge, func(n nic) float64 { return n.flags }},
		{"iface_id", gauge, func(n nic) float64 { return n.index }},
		{"iface_link", gauge, func(n nic) float64 { return n.index }},
		{"iface_link_mode", gauge, func(nic) float64 { return 0 }},
		{"mtu_bytes", gauge, func(n nic) float64 { return n.mtu }},
		{"name_assign_type", gauge, func(n nic) float64 { return n.named }},
		{"net_dev_group", gauge, func(nic) float64 { return 0 }},
		{"protocol_type", gauge, func(n nic) float64 { return n.kind }},
		{"transmit_queue_length", gauge, func(nic) float64 { return 1000 }},
	} {
		samples := perInterface(func(_ *snapshot, n nic) float64 { return f.value(n) })
		families = append(families, family{"node_network_" + f.property, f.kind, "Network device property: " + f.property, samples})
	}
	return families
}

// conntrackFamilies are what the conntrack collector prints. What it calls gauges are counters; the kernel no longer counts most.
func conntrackFamilies() []family {
	return []family{
		{"node_nf_conntrack_entries", gauge, "Number of currently allocated flow entries for connection tracking.",
			single(withTraffic(90, 1))},
		{"node_nf_conntrack_entries_limit", gauge, "Maximum size of connection tracking table.", single(constant(262144))},
		{"node_nf_conntrack_stat_drop", gauge, "Number of packets dropped due to conntrack failure.", single(none)},
		{"node_nf_conntrack_stat_early_drop", gauge, "Number of dropped conntrack entries to make room for new ones, if maximum table size was reached.", single(none)},
		{"node_nf_conntrack_stat_found", gauge, "Number of searched entries which were successful.", single(none)},
		{"node_nf_conntrack_stat_ignore", gauge, "Number of packets seen which are already connected to a conntrack entry.", single(none)},
		{"node_nf_conntrack_stat_insert", gauge, "Number of entries inserted into the list.", single(none)},
		{"node_nf_conntrack_stat_insert_failed", gauge, "Number of entries for which list insertion was attempted but failed.", single(none)},
		{"node_nf_conntrack_stat_invalid", gauge, "Number of packets seen which can not be tracked.", single(counts(0.0011, 0, 0))},
		{"node_nf_conntrack_stat_search_restart", gauge, "Number of conntrack table lookups which had to be restarted due to hashtable resizes.", single(none)},
	}
}
