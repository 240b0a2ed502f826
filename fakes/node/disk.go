package node

import (
	"math"
	"strconv"

	"github.com/panelgate/panelgate/fakes"
)

const (
	diskLabels     = `device="nvme0n1"`
	diskInfoLabels = `device="nvme0n1",major="259",minor="0",model="SAMSUNG MZQL21T9HCJR-00A07",path="pci-0000:01:00.0-nvme-1",` +
		`revision="GDC5602Q",rotational="0",serial="",wwn=""`
)

// sector is the unit in which the kernel counts disk traffic, in bytes.
const sector = 512

// bytesRead is what has been read from disk since boot, in bytes: little by itself, more where work is done.
func (s *snapshot) bytesRead() float64 {
	return sector * math.Floor((21e3*s.uptime+1.4e6*s.busy)/sector)
}

// bytesWritten is what has been written to disk since boot, in bytes.
func (s *snapshot) bytesWritten() float64 {
	return sector * math.Floor((96e3*s.uptime+2.2e6*s.busy+600*s.requests)/sector)
}

// trimming is how often the space of deleted files is given back to the disk, in seconds: once a week, as fstrim does by default.
const trimming = 7 * 24 * 3600

// What one trimming discards: so many extents of so many sectors.
const (
	discardedExtents = 412
	discardedSectors = 81_920
)

// discards is how many extents have been discarded since boot. The machine was trimmed once while it booted.
func (s *snapshot) discards() float64 { return discardedExtents * (1 + math.Floor(s.uptime/trimming)) }

// flushes is how many times the disk was told to empty its cache since boot.
func (s *snapshot) flushes() float64 { return math.Floor(0.12*s.uptime + 0.02*s.requests) }

func perDisk(value func(*snapshot) float64) []sample { return []sample{{diskLabels, value}} }

// diskFamilies are what the diskstats collector prints.
func diskFamilies() []family {
	return []family{
		{"node_disk_discard_time_seconds_total", counter, "This is the total number of seconds spent by all discards.",
			perDisk(func(s *snapshot) float64 { return thousandths(0.00008 * s.discards()) })},
		{"node_disk_discarded_sectors_total", counter, "The total number of sectors discarded successfully.",
			perDisk(func(s *snapshot) float64 { return discardedSectors * s.discards() })},
		{"node_disk_discards_completed_total", counter, "The total number of discards completed successfully.",
			perDisk((*snapshot).discards)},
		{"node_disk_discards_merged_total", counter, "The total number of discards merged.", perDisk(none)},
		{"node_disk_flush_requests_time_seconds_total", counter, "This is the total number of seconds spent by all flush requests.",
			perDisk(func(s *snapshot) float64 { return thousandths(0.0003 * s.flushes()) })},
		{"node_disk_flush_requests_total", counter, "The total number of flush requests completed successfully",
			perDisk((*snapshot).flushes)},
		{"node_disk_info", gauge, "Info of /sys/block/<block_device>.",
			[]sample{{labels: diskInfoLabels, value: one}}},
		{"node_disk_io_now", gauge, "The number of I/Os currently in progress.",
			perDisk(func(s *snapshot) float64 { return math.Round(2 * s.load) })},
		{"node_disk_io_time_seconds_total", counter, "Total seconds spent doing I/Os.",
			perDisk(func(s *snapshot) float64 { return thousandths(0.004*s.uptime + 0.11*s.busy) })},
		{"node_disk_io_time_weighted_seconds_total", counter, "The weighted # of seconds spent doing I/Os.",
			perDisk(func(s *snapshot) float64 { return thousandths(0.006*s.uptime + 0.19*s.busy) })},
		{"node_disk_read_bytes_total", counter, "The total number of bytes read successfully.",
			perDisk((*snapshot).bytesRead)},
		{"node_disk_read_time_seconds_total", counter, "The total number of seconds spent by all reads.",
			perDisk(func(s *snapshot) float64 { return thousandths(0.0002 * s.bytesRead() / kib / 16) })},
		{"node_disk_reads_completed_total", counter, "The total number of reads completed successfully.",
			perDisk(func(s *snapshot) float64 { return math.Floor(s.bytesRead() / (48 * kib)) })},
		{"node_disk_reads_merged_total", counter, "The total number of reads merged.",
			perDisk(func(s *snapshot) float64 { return math.Floor(s.bytesRead() / (512 * kib)) })},
		{"node_disk_write_time_seconds_total", counter, "This is the total number of seconds spent by all writes.",
			perDisk(func(s *snapshot) float64 { return thousandths(0.0004 * s.bytesWritten() / kib / 16) })},
		{"node_disk_writes_completed_total", counter, "The total number of writes completed successfully.",
			perDisk(func(s *snapshot) float64 { return math.Floor(s.bytesWritten() / (28 * kib)) })},
		{"node_disk_writes_merged_total", counter, "The number of writes merged.",
			perDisk(func(s *snapshot) float64 { return math.Floor(s.bytesWritten() / (96 * kib)) })},
		{"node_disk_written_bytes_total", counter, "The total number of bytes written successfully.",
			perDisk((*snapshot).bytesWritten)},
	}
}

// diskBytes is the size of the disk, in bytes.
const diskBytes = 3_750_748_848 * sector

// nvmeFamilies are what the nvme collector prints.
func nvmeFamilies(id fakes.Identity) []family {
	serial := "S64GNN0W" + strconv.FormatUint(100_000+id.Number("nvme", 900_000), 10)
	namespace := func(v float64) []sample { return []sample{{`device="nvme0",nsid="1"`, constant(v)}} }
	return []family{
		{"node_nvme_info", gauge, "Non-numeric data from /sys/class/nvme/<device>, value is always 1.", []sample{{
			`cntlid="6",device="nvme0",firmware_revision="GDC5602Q",model="SAMSUNG MZQL21T9HCJR-00A07",serial="` + serial + `",state="live"`, one}}},
		{"node_nvme_namespace_capacity_bytes", gauge, "Capacity of the NVMe namespace in bytes. Computed as namespace_size * namespace_logical_block_size",
			namespace(diskBytes)},
		{"node_nvme_namespace_info", gauge, "Information about NVMe namespaces. Value is always 1",
			[]sample{{`ana_state="unknown",device="nvme0",nsid="1"`, one}}},
		{"node_nvme_namespace_logical_block_size_bytes", gauge, "Logical block size of the NVMe namespace in bytes. Usually 4Kb. Available in /sys/class/nvme/<device>/<namespace>/queue/logical_block_size",
			namespace(sector)},
		{"node_nvme_namespace_size_bytes", gauge, "Size of the NVMe namespace in bytes. Available in /sys/class/nvme/<device>/<namespace>/size",
			namespace(diskBytes)},
		{"node_nvme_namespace_used_bytes", gauge, "Used space of the NVMe namespace in bytes. Available in /sys/class/nvme/<device>/<namespace>/nuse",
			namespace(diskBytes)},
	}
}
