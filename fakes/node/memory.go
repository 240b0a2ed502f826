package node

import "math"

// How the memory that is not in use is divided; together with the share that is simply free they make up what is available.
const (
	freeShare   = 0.31
	cachedShare = 0.61
	slabShare   = 0.05
	bufferShare = 0.03
)

// swapBytes is the host's swap, of which none is used.
const swapBytes = 8 << 30

const kib = 1 << 10

// floor4k rounds down to whole pages, in which the kernel counts.
func floor4k(bytes float64) float64 { return math.Floor(bytes/4096) * 4096 }

// memoryFamilies are what the meminfo and vmstat collectors print.
func memoryFamilies() []family {
	return []family{
		{"node_memory_Active_bytes", gauge, "Memory information field Active_bytes.",
			single(func(s *snapshot) float64 { return floor4k(0.72 * (s.memoryUsed + cachedShare*s.available())) })},
		{"node_memory_AnonPages_bytes", gauge, "Memory information field AnonPages_bytes.",
			single(func(s *snapshot) float64 { return floor4k(0.88 * s.memoryUsed) })},
		{"node_memory_Buffers_bytes", gauge, "Memory information field Buffers_bytes.",
			single(func(s *snapshot) float64 { return floor4k(bufferShare * s.available()) })},
		{"node_memory_Cached_bytes", gauge, "Memory information field Cached_bytes.",
			single(func(s *snapshot) float64 { return floor4k(cachedShare * s.available()) })},
		{"node_memory_CommitLimit_bytes", gauge, "Memory information field CommitLimit_bytes.",
			single(func(s *snapshot) float64 { return floor4k(s.memoryTotal/2 + swapBytes) })},
		{"node_memory_Committed_AS_bytes", gauge, "Memory information field Committed_AS_bytes.",
			single(func(s *snapshot) float64 { return floor4k(1.35 * s.memoryUsed) })},
		{"node_memory_Dirty_bytes", gauge, "Memory information field Dirty_bytes.",
			single(func(s *snapshot) float64 { return floor4k(2<<20 + 6e6*s.load) })},
		{"node_memory_Inactive_bytes", gauge, "Memory information field Inactive_bytes.",
			single(func(s *snapshot) float64 { return floor4k(0.28 * (s.memoryUsed + cachedShare*s.available())) })},
		{"node_memory_KernelStack_bytes", gauge, "Memory information field KernelStack_bytes.",
			single(func(s *snapshot) float64 { return floor4k(14 << 20) })},
		{"node_memory_Mapped_bytes", gauge, "Memory information field Mapped_bytes.",
			single(func(s *snapshot) float64 { return floor4k(0.09 * s.memoryUsed) })},
		{"node_memory_MemAvailable_bytes", gauge, "Memory information field MemAvailable_bytes.",
			single(func(s *snapshot) float64 { return floor4k(s.available()) })},
		{"node_memory_MemFree_bytes", gauge, "Memory information field MemFree_bytes.",
			single(func(s *snapshot) float64 { return floor4k(freeShare * s.available()) })},
		{"node_memory_MemTotal_bytes", gauge, "Memory information field MemTotal_bytes.",
			single(func(s *snapshot) float64 { return s.memoryTotal })},
		{"node_memory_PageTables_bytes", gauge, "Memory information field PageTables_bytes.",
			single(func(s *snapshot) float64 { return floor4k(0.004 * s.memoryUsed) })},
		{"node_memory_SReclaimable_bytes", gauge, "Memory information field SReclaimable_bytes.",
			single(func(s *snapshot) float64 { return floor4k(slabShare * s.available()) })},
		{"node_memory_SUnreclaim_bytes", gauge, "Memory information field SUnreclaim_bytes.",
			single(func(s *snapshot) float64 { return floor4k(180 << 20) })},
		{"node_memory_Shmem_bytes", gauge, "Memory information field Shmem_bytes.",
			single(func(s *snapshot) float64 { return floor4k(0.03 * s.memoryUsed) })},
		{"node_memory_Slab_bytes", gauge, "Memory information field Slab_bytes.",
			single(func(s *snapshot) float64 { return floor4k(slabShare*s.available()) + floor4k(180<<20) })},
		{"node_memory_SwapCached_bytes", gauge, "Memory information field SwapCached_bytes.",
			single(func(s *snapshot) float64 { return 0 })},
		{"node_memory_SwapFree_bytes", gauge, "Memory information field SwapFree_bytes.",
			single(func(s *snapshot) float64 { return swapBytes })},
		{"node_memory_SwapTotal_bytes", gauge, "Memory information field SwapTotal_bytes.",
			single(func(s *snapshot) float64 { return swapBytes })},
		{"node_memory_Writeback_bytes", gauge, "Memory information field Writeback_bytes.",
			single(func(s *snapshot) float64 { return 0 })},
		{"node_memory_HugePages_Total", gauge, "Memory information field HugePages_Total.",
			single(func(s *snapshot) float64 { return 0 })},
		{"node_vmstat_oom_kill", untyped, "/proc/vmstat information field oom_kill.",
			single(func(s *snapshot) float64 { return 0 })},
		{"node_vmstat_pgfault", untyped, "/proc/vmstat information field pgfault.",
			single(func(s *snapshot) float64 { return math.Floor(2600*s.uptime + 410*s.requests) })},
		{"node_vmstat_pgmajfault", untyped, "/proc/vmstat information field pgmajfault.",
			single(func(s *snapshot) float64 { return math.Floor(0.02 * s.uptime) })},
		{"node_vmstat_pgpgin", untyped, "/proc/vmstat information field pgpgin.",
			single(func(s *snapshot) float64 { return math.Floor(s.bytesRead() / kib) })},
		{"node_vmstat_pgpgout", untyped, "/proc/vmstat information field pgpgout.",
			single(func(s *snapshot) float64 { return math.Floor(s.bytesWritten() / kib) })},
		{"node_vmstat_pswpin", untyped, "/proc/vmstat information field pswpin.",
			single(func(s *snapshot) float64 { return 0 })},
		{"node_vmstat_pswpout", untyped, "/proc/vmstat information field pswpout.",
			single(func(s *snapshot) float64 { return 0 })},
	}
}
