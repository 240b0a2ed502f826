package node

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/panelgate/panelgate/fakes/internal/scrapetest"
)

// otherMachine says why the scrape that node_exporter's own tests expect has families that this fake has not: its machine is put
// together from many, and collectors are on that are off by default. The groups are told by the beginning of the families' names.
func otherMachine() map[string]string {
	const (
		hardware = "this machine has no such hardware"
		software = "nothing of the kind is set up on this machine"
		off      = "its collector is off by default"
	)
	return map[string]string{
		"node_bcache_": software, "node_bonding_": software, "node_btrfs_": software, "node_buddyinfo_": off, "node_cgroups_": off,
		"node_cpu_bug_info": off, "node_cpu_flag_info": off, "node_cpu_info": off, "node_cpu_vulnerabilities_": off,
		"node_cpu_isolated": "no CPU is set aside",
		"node_disk_ata_":    hardware, "node_disk_device_mapper_info": software, "node_disk_filesystem_info": "the disk as a whole has no filesystem",
		"node_drbd_": off, "node_fibrechannel_": hardware,
		"node_hwmon_": "other chips", "node_infiniband_": hardware, "node_interrupts_": off, "node_ipvs_": software, "node_ksmd_": off,
		"node_lnstat_": off, "node_md_": software, "node_memory_numa_": off, "node_mountstats_": off, "node_nfs_": software, "node_nfsd_": software,

		"node_power_supply_": hardware, "node_processes_": off, "node_qdisc_": off, "node_rapl_": "readable by root only",
		"node_slabinfo_": off, "node_softirqs_": off, "node_sysctl_": off, "node_tape_": hardware,
		"node_textfile_mtime_seconds": "no files are read in", "node_watchdog_": hardware, "node_wifi_": off, "node_xfrm_": off, "node_xfs_": software,
		"node_zfs_": software, "node_zoneinfo_": off, "testmetric": "a file that is read in",
	}
}

func TestFamiliesAreThoseOfTheUpstreamFixture(t *testing.T) {
	captured := scrapetest.Parse(t, scrapetest.Captured(t, "node-1.9.1-e2e-fixture.prom"), "text/plain")
	fake := scrape(t, built(t, "1.9.1"), start)
	assert.GreaterOrEqual(t, scrapetest.SameFamilies(t, fake, captured, map[string]string{
		"node_dmi_info": "the fixture was read by root, who is shown serial numbers",
	}), 230)

	lacking := beyond(captured, fake)
	assertExplained(t, lacking, otherMachine())
	assert.GreaterOrEqual(t, len(lacking), 700, "the fixture's machine has far more hardware")
	assertExplained(t, beyond(fake, captured), notInFixture())

	shared := func(s, other scrapetest.Scrape) []string {
		return slices.DeleteFunc(slices.Clone(s.Order), func(name string) bool { return other.Families[name] == nil })
	}
	assert.Equal(t, shared(captured, fake), shared(fake, captured), "in one order")
}

// notInFixture says why the fake has families that the fixture has not.
func notInFixture() map[string]string {
	const (
		hostOnly = "their tests cannot fix what the machine they run on says"
		kernel   = "the fixture's files are of an older kernel"
		chips    = "the fixture has other chips"
	)
	return map[string]string{
		"node_cpu_frequency_": chips, "node_cpu_online": kernel, "node_filesystem_": hostOnly, "node_hwmon_temp_": chips,
		"node_memory_": kernel, "node_netstat_TcpExt_TCPSynRetrans": kernel, "node_selinux_enabled": hostOnly, "node_timex_": hostOnly,
		"node_uname_info": hostOnly,
	}
}

// beyond are the families that the first scrape has and the second has not.
func beyond(has, lacks scrapetest.Scrape) []string {
	return slices.DeleteFunc(slices.Clone(has.Order), func(name string) bool { return lacks.Families[name] != nil })
}

// assertExplained wants a reason for each of the names, by the beginnings of names, and a name for each reason.
func assertExplained(t *testing.T, names []string, reasons map[string]string) {
	t.Helper()
	unused := maps.Clone(reasons)
	for _, name := range names {
		explained := false
		for prefix := range reasons {
			if strings.HasPrefix(name, prefix) {
				explained = true
				delete(unused, prefix)
			}
		}
		assert.True(t, explained, "nothing says why %s is in one scrape only", name)
	}
	assert.Empty(t, unused, "reasons that explain nothing")
}
