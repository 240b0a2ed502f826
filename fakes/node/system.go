package node

import (
	"math"

	"github.com/panelgate/panelgate/fakes"
)

const osID = `id="ubuntu",id_like="debian",`

const osLabels = `build_id="",` + osID + `image_id="",image_version="",name="Ubuntu",pretty_name="Ubuntu 24.04.4 LTS",variant="",` +
	`variant_id="",version="24.04.4 LTS (Noble Numbat)",version_codename="noble",version_id="24.04"`

// dmiLabels lack serial numbers and the product's UUID: the kernel shows those to root only, and node_exporter runs as another user.
const dmiLabels = `bios_date="02/21/2025",bios_release="5.27",bios_vendor="American Megatrends International, LLC.",bios_version="2.4",` +
	`board_asset_tag="Base Board Asset Tag",board_name="X13SEI-F",board_vendor="Supermicro",board_version="1.01",` +
	`chassis_asset_tag="Chassis Asset Tag",chassis_vendor="Supermicro",chassis_version="0123456789",product_family="Family",` +
	`product_name="SYS-521E-WR",product_sku="To be filled by O.E.M.",product_version="0123456789",system_vendor="Supermicro"`

// unameLabels name a kernel that counts hung tasks and stalls by interrupts, so that their collectors have something to show.
func unameLabels(id fakes.Identity) string {
	return `domainname="(none)",machine="x86_64",nodename="` + id.NodeName() +
		`",release="6.17.0-14-generic",sysname="Linux",version="#14~24.04.1-Ubuntu SMP PREEMPT_DYNAMIC"`
}

// statFamilies are what the stat collector prints.
func statFamilies() []family {
	return []family{
		{"node_boot_time_seconds", gauge, "Node boot time, in unixtime.",
			single(func(s *snapshot) float64 { return s.boot })},
		{"node_context_switches_total", counter, "Total number of context switches.", single(counts(2900, 0, 95))},
		{"node_forks_total", counter, "Total number of forks.", single(counts(3.1, 0, 0))},
		{"node_intr_total", counter, "Total number of interrupts serviced.", single(counts(2100, 0, 60))},
		{"node_procs_blocked", gauge, "Number of processes blocked waiting for I/O to complete.", single(none)},
		{"node_procs_running", gauge, "Number of processes in runnable state.",
			single(func(s *snapshot) float64 { return 1 + math.Round(s.load*float64(s.cpus)) })},
	}
}

// dmiFamilies are what the dmi collector prints.
func dmiFamilies() []family {
	return []family{
		{"node_dmi_info", gauge, "A metric with a constant '1' value labeled by bios_date, bios_release, bios_vendor, bios_version, board_asset_tag, board_name, board_serial, board_vendor, board_version, chassis_asset_tag, chassis_serial, chassis_vendor, chassis_version, product_family, product_name, product_serial, product_sku, product_uuid, product_version, system_vendor if provided by DMI.",
			[]sample{{dmiLabels, one}}},
	}
}

// entropyFamilies are what the entropy collector prints.
func entropyFamilies() []family {
	return []family{
		{"node_entropy_available_bits", gauge, "Bits of available entropy.", single(constant(256))},
		{"node_entropy_pool_size_bits", gauge, "Bits of entropy pool.", single(constant(256))},
	}
}

// hungFamilies are what the kernel_hung collector prints.
func hungFamilies() []family {
	return []family{
		{"node_kernel_hung_tasks_total", counter, "Total number of tasks that have been detected as hung since the system booted.", single(none)},
	}
}

// loadFamilies are what the loadavg collector prints.
func loadFamilies() []family {
	return []family{
		{"node_load1", gauge, "1m load average.",
			single(func(s *snapshot) float64 { return hundredths(s.load1) })},
		{"node_load15", gauge, "15m load average.",
			single(func(s *snapshot) float64 { return hundredths(s.load15) })},
		{"node_load5", gauge, "5m load average.",
			single(func(s *snapshot) float64 { return hundredths(s.load5) })},
	}
}

// osFamilies are what the os collector prints.
func osFamilies() []family {
	return []family{
		{"node_os_info", gauge, "A metric with a constant '1' value labeled by build_id, id, id_like, image_id, image_version, name, pretty_name, variant, variant_id, version, version_codename, version_id.",
			[]sample{{osLabels, one}}},
		{"node_os_version", gauge, "Metric containing the major.minor part of the OS version.",
			[]sample{{osID + `name="Ubuntu"`, constant(24.04)}}},
	}
}

// selinuxFamilies are what the selinux collector prints.
func selinuxFamilies() []family {
	return []family{
		{"node_selinux_enabled", gauge, "SELinux is enabled, 1 is true, 0 is false", single(none)},
	}
}

// unameFamilies are what the uname collector prints.
func unameFamilies(id fakes.Identity) []family {
	return []family{
		{"node_uname_info", gauge, "Labeled system information as provided by the uname system call.",
			[]sample{{unameLabels(id), one}}},
	}
}

// stalled is a counter of seconds in which something waited: by so much a second since boot and a second of the average CPU's work.
func stalled(perSecond, perBusySecond float64) []sample {
	return single(func(s *snapshot) float64 { return micros(perSecond*s.uptime + perBusySecond*s.busy) })
}

// pressureFamilies are what the pressure collector prints.
func pressureFamilies() []family {
	return []family{
		{"node_pressure_cpu_waiting_seconds_total", counter, "Total time in seconds that processes have waited for CPU time",
			stalled(0.002, 0.06)},
		{"node_pressure_io_stalled_seconds_total", counter, "Total time in seconds no process could make progress due to IO congestion",
			stalled(0.0008, 0.004)},
		{"node_pressure_io_waiting_seconds_total", counter, "Total time in seconds that processes have waited due to IO congestion",
			stalled(0.001, 0.009)},
		{"node_pressure_irq_stalled_seconds_total", counter, "Total time in seconds no process could make progress due to IRQ congestion",
			stalled(0.0003, 0.002)},
		{"node_pressure_memory_stalled_seconds_total", counter, "Total time in seconds no process could make progress due to memory congestion",
			stalled(0.00001, 0)},
		{"node_pressure_memory_waiting_seconds_total", counter, "Total time in seconds that processes have waited for memory",
			stalled(0.00002, 0)},
	}
}
