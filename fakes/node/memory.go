package node

import (
	"math"
	"slices"

	"github.com/panelgate/panelgate/fakes/internal/page"
)

// How the memory that is not in use is divided; together with the share that is simply free they make up what is available.
const (
	freeShare   = 0.31
	cachedShare = 0.61
	slabShare   = 0.05
	bufferShare = 0.03
)

// How the memory that is in use is divided, as far as it is broken down.
const (
	anonymousShare = 0.88
	sharedShare    = 0.03
	hugeShare      = 0.3
)

// The share of processes' and of files' pages that has been used recently.
const (
	activeAnonymous = 0.12
	activeFile      = 0.4
)

const (
	swapBytes         = 8 * gib // of which none is used
	unreclaimable     = 180 * mib
	lockedBytes       = 27 * mib
	kernelStackBytes  = 14 * mib
	percpuBytes       = 1.5 * mib // for each CPU
	vmallocBytes      = 96 * mib
	vmallocTotalBytes = 1<<45 - kib // what x86-64 sets aside of its addresses, with four levels of page tables
	hugePageBytes     = 2 * mib
)

// anonymous is the memory of processes that no file stands behind, in bytes, shared memory among it.
func (s *snapshot) anonymous() float64 { return (anonymousShare + sharedShare) * s.memoryUsed }

// files is the memory in which files are cached, in bytes.
func (s *snapshot) files() float64 { return (cachedShare + bufferShare) * s.available() }

// field is one number of /proc/meminfo, /proc/vmstat or the like: the part of the metric's name that tells it from its siblings.
type field struct {
	name  string
	value page.Value[snapshot]
}

// inUse is a share of the memory in use.
func inUse(share float64) page.Value[snapshot] {
	return func(s *snapshot) float64 { return floor4k(share * s.memoryUsed) }
}

// unused is a share of the memory that is available.
func unused(share float64) page.Value[snapshot] {
	return func(s *snapshot) float64 { return floor4k(share * s.available()) }
}

// pages is a share of one kind of pages, processes' or files'.
func pages(kind func(*snapshot) float64, share float64) page.Value[snapshot] {
	return func(s *snapshot) float64 { return floor4k(share * kind(s)) }
}

func sum(a, b page.Value[snapshot]) page.Value[snapshot] {
	return func(s *snapshot) float64 { return a(s) + b(s) }
}

// mapped is a share of all memory, in pages of a size: how the kernel maps it for itself.
func mapped(share, size float64) page.Value[snapshot] {
	return func(s *snapshot) float64 { return whole(share*s.memoryTotal, size) }
}

// pageFields are the fields about pages of processes and files.
func pageFields() []field {
	activeAnon, inactiveAnon := pages((*snapshot).anonymous, activeAnonymous), pages((*snapshot).anonymous, 1-activeAnonymous)
	activeFiles, inactiveFiles := pages((*snapshot).files, activeFile), pages((*snapshot).files, 1-activeFile)
	return []field{
		{"Active_anon_bytes", activeAnon},
		{"Active_bytes", sum(activeAnon, activeFiles)},
		{"Active_file_bytes", activeFiles},
		{"AnonHugePages_bytes", func(s *snapshot) float64 { return whole(hugeShare*s.memoryUsed, hugePageBytes) }},
		{"AnonPages_bytes", inUse(anonymousShare)},
		{"Buffers_bytes", unused(bufferShare)},
		{"Cached_bytes", unused(cachedShare)},
		{"Dirty_bytes", func(s *snapshot) float64 { return floor4k(2*mib + 6e6*s.load) }},
		{"Inactive_anon_bytes", inactiveAnon},
		{"Inactive_bytes", sum(inactiveAnon, inactiveFiles)},
		{"Inactive_file_bytes", inactiveFiles},
		{"Mapped_bytes", inUse(0.09)},
		{"MemAvailable_bytes", unused(1)},
		{"MemFree_bytes", unused(freeShare)},
		{"MemTotal_bytes", func(s *snapshot) float64 { return s.memoryTotal }},
		{"Mlocked_bytes", constant(lockedBytes)},
		{"Shmem_bytes", inUse(sharedShare)},
		{"SwapCached_bytes", none},
		{"SwapFree_bytes", constant(swapBytes)},
		{"SwapTotal_bytes", constant(swapBytes)},
		{"Unevictable_bytes", constant(lockedBytes)},
		{"Writeback_bytes", none},
		{"Zswap_bytes", none},
		{"Zswapped_bytes", none},
	}
}

// kernelFields are the fields about the kernel's own memory, its limits, and huge pages, of which none are set aside.
func kernelFields() []field {
	return []field{
		{"Bounce_bytes", none},
		{"CommitLimit_bytes", func(s *snapshot) float64 { return floor4k(s.memoryTotal/2 + swapBytes) }},
		{"Committed_AS_bytes", inUse(1.35)},
		{"DirectMap1G_bytes", mapped(0.8, gib)},
		{"DirectMap2M_bytes", mapped(0.18, hugePageBytes)},
		{"DirectMap4k_bytes", mapped(0.02, pageSize)},
		{"HardwareCorrupted_bytes", none},
		{"HugePages_Free", none},
		{"HugePages_Rsvd", none},
		{"HugePages_Surp", none},
		{"HugePages_Total", none},
		{"Hugepagesize_bytes", constant(hugePageBytes)},
		{"KernelStack_bytes", constant(kernelStackBytes)},
		{"NFS_Unstable_bytes", none},
		{"PageTables_bytes", inUse(0.004)},
		{"Percpu_bytes", func(s *snapshot) float64 { return percpuBytes * float64(s.cpus) }},
		{"SReclaimable_bytes", unused(slabShare)},
		{"SUnreclaim_bytes", constant(unreclaimable)},
		{"ShmemHugePages_bytes", none},
		{"ShmemPmdMapped_bytes", none},
		{"Slab_bytes", sum(unused(slabShare), constant(unreclaimable))},
		{"VmallocChunk_bytes", none},
		{"VmallocTotal_bytes", constant(vmallocTotalBytes)},
		{"VmallocUsed_bytes", constant(vmallocBytes)},
		{"WritebackTmp_bytes", none},
	}
}

// unlistedFields are the fields that releases before 1.9.0 print, which show all that the kernel says, and a name that stood wrong for
// the one release after Zswap was listed.
func unlistedFields() []field {
	return []field{
		{"Balloon_bytes", none},
		{"FileHugePages_bytes", none},
		{"FilePmdMapped_bytes", none},
		{"Hugetlb_bytes", none},
		{"KReclaimable_bytes", unused(slabShare)},
		{"SecPageTables_bytes", none},
		{"Zswap_ytes", none},
	}
}

// memoryFamilies are what the meminfo collector prints.
func memoryFamilies() []family {
	var families []family
	for _, f := range slices.Concat(pageFields(), kernelFields(), unlistedFields()) {
		families = append(families, family{"node_memory_" + f.name, gauge, "Memory information field " + f.name + ".", single(f.value)})
	}
	return families
}

// vmstatFamilies are what the vmstat collector prints.
func vmstatFamilies() []family {
	fields := []field{
		{"oom_kill", none},
		{"pgfault", counts(2600, 0, 410)},
		{"pgmajfault", counts(0.02, 0, 0)},
		{"pgpgin", func(s *snapshot) float64 { return math.Floor(s.bytesRead() / kib) }},
		{"pgpgout", func(s *snapshot) float64 { return math.Floor(s.bytesWritten() / kib) }},
		{"pswpin", none},
		{"pswpout", none},
	}
	var families []family
	for _, f := range fields {
		families = append(families, family{"node_vmstat_" + f.name, untyped, "/proc/vmstat information field " + f.name + ".", single(f.value)})
	}
	return families
}
