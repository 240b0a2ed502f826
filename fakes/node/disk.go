package node

import "math"

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

// mount is a mounted filesystem.
type mount struct {
	labels    string
	size      float64 // bytes
	freeShare float64 // at its fullest
	reserved  float64 // share that only root may use
	files     float64
	logs      float64 // bytes a second that fill it up until logs are rotated
}

// rotation is how often logs are rotated, in seconds.
const rotation = 24 * 3600

func (m mount) free(s *snapshot) float64 {
	return floor4k(m.size*m.freeShare + m.logs*(rotation-math.Mod(s.uptime, rotation)))
}

func (m mount) available(s *snapshot) float64 { return m.free(s) - floor4k(m.size*m.reserved) }

func mounts() []mount {
	return []mount{
		{labels: `device="/dev/nvme0n1p2",device_error="",fstype="ext4",mountpoint="/"`,
			size: 1.887e12, freeShare: 0.58, reserved: 0.05, files: 117_178_368, logs: 34e3},
		{labels: `device="tmpfs",device_error="",fstype="tmpfs",mountpoint="/run"`, size: 6.7e9, freeShare: 0.99, files: 819_200},
	}
}

func perMount(value func(*snapshot, mount) float64) []sample {
	var samples []sample
	for _, m := range mounts() {
		samples = append(samples, sample{m.labels, func(s *snapshot) float64 { return value(s, m) }})
	}
	return samples
}

func perDisk(value func(*snapshot) float64) []sample { return []sample{{diskLabels, value}} }

// thousandths rounds down to the milliseconds in which the kernel counts disk time.
func thousandths(seconds float64) float64 { return math.Floor(seconds*1000) / 1000 }

// diskFamilies are what the diskstats, filesystem and filefd collectors print.
func diskFamilies() []family {
	return []family{
		{"node_disk_info", gauge, "Info of /sys/block/<block_device>.",
			[]sample{{labels: diskInfoLabels, value: one}}},
		{"node_disk_io_now", gauge, "The number of I/Os currently in progress.",
			perDisk(func(s *snapshot) float64 { return math.Round(2 * s.load) })},
		{"node_disk_io_time_seconds_total", counter, "Total seconds spent doing I/Os.",
			perDisk(func(s *snapshot) float64 { return thousandths(0.004*s.uptime + 0.11*s.busy) })},
		{"node_disk_io_time_weighted_seconds_total", counter, "The weighted # of seconds spent doing I/Os.",
			perDisk(func(s *snapshot) float64 { return thousandths(0.006*s.uptime + 0.19*s.busy) })},
		{"node_disk_read_bytes_total", counter, "The total number of bytes read successfully.",
			perDisk(func(s *snapshot) float64 { return s.bytesRead() })},
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
			perDisk(func(s *snapshot) float64 { return s.bytesWritten() })},
		{"node_filefd_allocated", gauge, "File descriptor statistics: allocated.",
			single(func(s *snapshot) float64 { return 1840 + math.Round(3*s.requestRate) })},
		{"node_filefd_maximum", gauge, "File descriptor statistics: maximum.",
			single(func(s *snapshot) float64 { return math.MaxInt64 })},
		{"node_filesystem_avail_bytes", gauge, "Filesystem space available to non-root users in bytes.",
			perMount(func(s *snapshot, m mount) float64 { return m.available(s) })},
		{"node_filesystem_device_error", gauge, "Whether an error occurred while getting statistics for the given device.",
			perMount(func(s *snapshot, m mount) float64 { return 0 })},
		{"node_filesystem_files", gauge, "Filesystem total file nodes.",
			perMount(func(s *snapshot, m mount) float64 { return m.files })},
		{"node_filesystem_files_free", gauge, "Filesystem total free file nodes.",
			perMount(func(s *snapshot, m mount) float64 { return math.Floor(m.files * m.freeShare) })},
		{"node_filesystem_free_bytes", gauge, "Filesystem free space in bytes.",
			perMount(func(s *snapshot, m mount) float64 { return m.free(s) })},
		{"node_filesystem_readonly", gauge, "Filesystem read-only status.",
			perMount(func(s *snapshot, m mount) float64 { return 0 })},
		{"node_filesystem_size_bytes", gauge, "Filesystem size in bytes.",
			perMount(func(s *snapshot, m mount) float64 { return m.size })},
	}
}
