package node

import (
	"math"

	"github.com/panelgate/panelgate/fakes/internal/page"
)

// gcPeriod is how often the exporter's garbage is collected, in seconds.
const gcPeriod = 118

// The exporter's heap, in bytes: what is left by a collection, what is allocated between two, and the size of an average object.
const (
	heapLeft    = 2.1e6
	heapGarbage = 1.8e6
	objectBytes = 81
)

// What the runtime has from the system, in bytes. Heap and stacks share whole arenas.
const (
	heapSystem   = 11_894_784
	stackSystem  = 688_128
	spanSystem   = 163_200
	cacheSystem  = 16_072
	bucketSystem = 1_453_908
	gcSystem     = 3_102_336
	otherSystem  = 1_007_564
	allSystem    = heapSystem + stackSystem + spanSystem + cacheSystem + bucketSystem + gcSystem + otherSystem
	heapReleased = 4_603_904
	cacheUsed    = 9_664
	spanUsed     = 142_080
	heapGoal     = 4_194_304
	heapUnit     = 8192
)

// pause is how long the average collection stops the exporter, in seconds.
const pause = 52e-6

func collections(s *snapshot) float64 { return math.Floor(s.age / gcPeriod) }

// heap is what is allocated at the moment, in bytes.
func heap(s *snapshot) float64 {
	return math.Floor(heapLeft + heapGarbage*math.Mod(s.age, gcPeriod)/gcPeriod)
}

func heapInUse(s *snapshot) float64 { return whole(heap(s)+1.1e6, heapUnit) }

func mallocs(s *snapshot) float64 {
	return math.Floor((heapLeft + heapGarbage*s.age/gcPeriod) / objectBytes)
}

func frees(s *snapshot) float64 { return math.Floor(heapGarbage * collections(s) / objectBytes) }

func lastCollection(s *snapshot) float64 {
	if collections(s) == 0 {
		return 0
	}
	return s.start + gcPeriod*collections(s)
}

// The summary of the pauses, as the newest release has it.
const (
	pauses     = "go_gc_duration_seconds"
	pausesHelp = "A summary of the wall-time pause (stop-the-world) duration in garbage collection cycles."
)

// garbageCollections lays out the one summary that node_exporter prints; by its name it is the first family of all.
func garbageCollections(b *page.Builder[snapshot], help string) {
	b.Family(pauses, "summary", help, number)
	for _, q := range []struct {
		quantile string
		seconds  float64
	}{{"0", 2.1304e-05}, {"0.25", 3.8512e-05}, {"0.5", 4.6127e-05}, {"0.75", 5.9034e-05}, {"1", 0.000214873}} {
		b.Sample(`quantile="`+q.quantile+`"`, func(s *snapshot) float64 {
			if collections(s) == 0 {
				return 0
			}
			return q.seconds
		})
	}
	b.Suffixed("_sum", "", func(s *snapshot) float64 { return math.Round(1e9*pause*collections(s)) / 1e9 })
	b.Suffixed("_count", "", collections)
}

// runtimeFamilies are what Go's runtime says of the exporter's memory and threads.
func runtimeFamilies(cpus int, goVersion string) []family {
	return []family{
		{"go_gc_gogc_percent", gauge, "Heap size target percentage configured by the user, otherwise 100. This value is set by the GOGC environment variable, and the runtime/debug.SetGCPercent function. Sourced from /gc/gogc:percent.", single(constant(100))},
		{"go_gc_gomemlimit_bytes", gauge, "Go runtime memory limit configured by the user, otherwise math.MaxInt64. This value is set by the GOMEMLIMIT environment variable, and the runtime/debug.SetMemoryLimit function. Sourced from /gc/gomemlimit:bytes.", single(constant(math.MaxInt64))},
		{"go_goroutines", gauge, "Number of goroutines that currently exist.", single(constant(9))},
		{"go_info", gauge, "Information about the Go environment.", []sample{{`version="` + goVersion + `"`, one}}},
		{"go_memstats_alloc_bytes", gauge, "Number of bytes allocated in heap and currently in use. Equals to /memory/classes/heap/objects:bytes.", single(heap)},
		{"go_memstats_alloc_bytes_total", counter, "Total number of bytes allocated in heap until now, even if released already. Equals to /gc/heap/allocs:bytes.",
			single(func(s *snapshot) float64 { return math.Floor(heapLeft + heapGarbage*s.age/gcPeriod) })},
		{"go_memstats_buck_hash_sys_bytes", gauge, "Number of bytes used by the profiling bucket hash table. Equals to /memory/classes/profiling/buckets:bytes.", single(constant(bucketSystem))},
		{"go_memstats_frees_total", counter, "Total number of heap objects frees. Equals to /gc/heap/frees:objects + /gc/heap/tiny/allocs:objects.", single(frees)},
		{"go_memstats_gc_cpu_fraction", gauge, "The fraction of this program's available CPU time used by the GC since the program started.", single(constant(2.4e-05))},
		{"go_memstats_gc_sys_bytes", gauge, "Number of bytes used for garbage collection system metadata. Equals to /memory/classes/metadata/other:bytes.", single(constant(gcSystem))},
		{"go_memstats_heap_alloc_bytes", gauge, "Number of heap bytes allocated and currently in use, same as go_memstats_alloc_bytes. Equals to /memory/classes/heap/objects:bytes.", single(heap)},
		{"go_memstats_heap_idle_bytes", gauge, "Number of heap bytes waiting to be used. Equals to /memory/classes/heap/released:bytes + /memory/classes/heap/free:bytes.",
			single(func(s *snapshot) float64 { return heapSystem - heapInUse(s) })},
		{"go_memstats_heap_inuse_bytes", gauge, "Number of heap bytes that are in use. Equals to /memory/classes/heap/objects:bytes + /memory/classes/heap/unused:bytes", single(heapInUse)},
		{"go_memstats_heap_objects", gauge, "Number of currently allocated objects. Equals to /gc/heap/objects:objects.",
			single(func(s *snapshot) float64 { return mallocs(s) - frees(s) })},
		{"go_memstats_heap_released_bytes", gauge, "Number of heap bytes released to OS. Equals to /memory/classes/heap/released:bytes.", single(constant(heapReleased))},
		{"go_memstats_heap_sys_bytes", gauge, "Number of heap bytes obtained from system. Equals to /memory/classes/heap/objects:bytes + /memory/classes/heap/unused:bytes + /memory/classes/heap/released:bytes + /memory/classes/heap/free:bytes.", single(constant(heapSystem))},
		{"go_memstats_last_gc_time_seconds", gauge, "Number of seconds since 1970 of last garbage collection.", single(lastCollection)},
		{"go_memstats_lookups_total", counter, "Total number of pointer lookups.", single(none)},
		{"go_memstats_mallocs_total", counter, "Total number of heap objects allocated, both live and gc-ed. Semantically a counter version for go_memstats_heap_objects gauge. Equals to /gc/heap/allocs:objects + /gc/heap/tiny/allocs:objects.", single(mallocs)},
		{"go_memstats_mcache_inuse_bytes", gauge, "Number of bytes in use by mcache structures. Equals to /memory/classes/metadata/mcache/inuse:bytes.", single(constant(cacheUsed))},
		{"go_memstats_mcache_sys_bytes", gauge, "Number of bytes used for mcache structures obtained from system. Equals to /memory/classes/metadata/mcache/inuse:bytes + /memory/classes/metadata/mcache/free:bytes.", single(constant(cacheSystem))},
		{"go_memstats_mspan_inuse_bytes", gauge, "Number of bytes in use by mspan structures. Equals to /memory/classes/metadata/mspan/inuse:bytes.", single(constant(spanUsed))},
		{"go_memstats_mspan_sys_bytes", gauge, "Number of bytes used for mspan structures obtained from system. Equals to /memory/classes/metadata/mspan/inuse:bytes + /memory/classes/metadata/mspan/free:bytes.", single(constant(spanSystem))},
		{"go_memstats_next_gc_bytes", gauge, "Number of heap bytes when next garbage collection will take place. Equals to /gc/heap/goal:bytes.", single(constant(heapGoal))},
		{"go_memstats_other_sys_bytes", gauge, "Number of bytes used for other system allocations. Equals to /memory/classes/other:bytes.", single(constant(otherSystem))},
		{"go_memstats_stack_inuse_bytes", gauge, "Number of bytes obtained from system for stack allocator in non-CGO environments. Equals to /memory/classes/heap/stacks:bytes.", single(constant(stackSystem))},
		{"go_memstats_stack_sys_bytes", gauge, "Number of bytes obtained from system for stack allocator. Equals to /memory/classes/heap/stacks:bytes + /memory/classes/os-stacks:bytes.", single(constant(stackSystem))},
		{"go_memstats_sys_bytes", gauge, "Number of bytes obtained from system. Equals to /memory/classes/total:byte.", single(constant(allSystem))},
		{"go_sched_gomaxprocs_threads", gauge, "The current runtime.GOMAXPROCS setting, or the number of operating system threads that can execute user-level Go code simultaneously. Sourced from /sched/gomaxprocs:threads.", single(constant(float64(cpus)))},
		{"go_threads", gauge, "Number of OS threads created.", single(constant(7))},
	}
}
