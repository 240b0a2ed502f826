package node

import "math"

// mount is a mounted filesystem.
type mount struct {
	labels    string
	info      string
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
		{info: `device="/dev/nvme0n1p2",major="259",minor="2",mountpoint="/"`,
			labels: `device="/dev/nvme0n1p2",device_error="",fstype="ext4",mountpoint="/"`,
			size:   1.887e12, freeShare: 0.58, reserved: 0.05, files: 117_178_368, logs: 34e3},
		{info: `device="tmpfs",major="0",minor="26",mountpoint="/run"`,
			labels: `device="tmpfs",device_error="",fstype="tmpfs",mountpoint="/run"`, size: 6.7e9, freeShare: 0.99, files: 819_200},
	}
}

func perMount(value func(*snapshot, mount) float64) []sample {
	var samples []sample
	for _, m := range mounts() {
		samples = append(samples, sample{m.labels, func(s *snapshot) float64 { return value(s, m) }})
	}
	return samples
}

func mountInfo() []sample {
	var samples []sample
	for _, m := range mounts() {
		samples = append(samples, sample{m.info, one})
	}
	return samples
}

// filesystemFamilies are what the filesystem collector prints.
func filesystemFamilies() []family {
	return []family{
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
		{"node_filesystem_mount_info", gauge, "Filesystem mount information.", mountInfo()},
		{"node_filesystem_purgeable_bytes", gauge, "Filesystem space available including purgeable space (MacOS specific).",
			perMount(func(*snapshot, mount) float64 { return 0 })},
		{"node_filesystem_readonly", gauge, "Filesystem read-only status.",
			perMount(func(s *snapshot, m mount) float64 { return 0 })},
		{"node_filesystem_size_bytes", gauge, "Filesystem size in bytes.",
			perMount(func(s *snapshot, m mount) float64 { return m.size })},
	}
}

// fileFamilies are what the filefd collector prints.
func fileFamilies() []family {
	return []family{
		{"node_filefd_allocated", gauge, "File descriptor statistics: allocated.",
			single(withTraffic(1840, 3))},
		{"node_filefd_maximum", gauge, "File descriptor statistics: maximum.",
			single(constant(math.MaxInt64))},
	}
}
