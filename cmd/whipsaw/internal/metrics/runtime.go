package metrics

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// figure is a metric of the Go runtime: the sum of what runtime/metrics has under some names. Names and help are those
// that Prometheus' own library gives them, so that dashboards fit.
type figure struct {
	desc *Desc
	from []string
}

const (
	objects  = "/memory/classes/heap/objects:bytes"
	unused   = "/memory/classes/heap/unused:bytes"
	released = "/memory/classes/heap/released:bytes"
	free     = "/memory/classes/heap/free:bytes"
	stacks   = "/memory/classes/heap/stacks:bytes"
	tiny     = "/gc/heap/tiny/allocs:objects"
	mspan    = "/memory/classes/metadata/mspan/inuse:bytes"
	mcache   = "/memory/classes/metadata/mcache/inuse:bytes"
)

func heap(kind Kind, name, help string, from ...string) figure {
	return figure{New(kind, "go_memstats_"+name, help), from}
}

var figures = []figure{
	{New(Gauge, "go_gc_gogc_percent", "Heap size target percentage (GOGC)."), []string{"/gc/gogc:percent"}},
	{New(Gauge, "go_gc_gomemlimit_bytes", "Go runtime memory limit (GOMEMLIMIT)."), []string{"/gc/gomemlimit:bytes"}},
	{New(Gauge, "go_sched_gomaxprocs_threads", "The current runtime.GOMAXPROCS setting."), []string{"/sched/gomaxprocs:threads"}},
	heap(Gauge, "alloc_bytes", "Number of bytes allocated in heap and currently in use.", objects),
	heap(Counter, "alloc_bytes_total", "Total number of bytes allocated in heap until now, even if released already.", "/gc/heap/allocs:bytes"),
	heap(Gauge, "sys_bytes", "Number of bytes obtained from system.", "/memory/classes/total:bytes"),
	heap(Counter, "mallocs_total", "Total number of heap objects allocated.", "/gc/heap/allocs:objects", tiny),
	heap(Counter, "frees_total", "Total number of heap objects frees.", "/gc/heap/frees:objects", tiny),
	heap(Gauge, "heap_alloc_bytes", "Number of heap bytes allocated and currently in use.", objects),
	heap(Gauge, "heap_sys_bytes", "Number of heap bytes obtained from system.", objects, unused, released, free),
	heap(Gauge, "heap_idle_bytes", "Number of heap bytes waiting to be used.", released, free),
	heap(Gauge, "heap_inuse_bytes", "Number of heap bytes that are in use.", objects, unused),
	heap(Gauge, "heap_released_bytes", "Number of heap bytes released to OS.", released),
	heap(Gauge, "heap_objects", "Number of currently allocated objects.", "/gc/heap/objects:objects"),
	heap(Gauge, "stack_inuse_bytes", "Number of bytes obtained from system for stack allocator in non-CGO environments.", stacks),
	heap(Gauge, "stack_sys_bytes", "Number of bytes obtained from system for stack allocator.", stacks, "/memory/classes/os-stacks:bytes"),
	heap(Gauge, "mspan_inuse_bytes", "Number of bytes in use by mspan structures.", mspan),
	heap(Gauge, "mspan_sys_bytes", "Number of bytes used for mspan structures obtained from system.", mspan, "/memory/classes/metadata/mspan/free:bytes"),
	heap(Gauge, "mcache_inuse_bytes", "Number of bytes in use by mcache structures.", mcache),
	heap(Gauge, "mcache_sys_bytes", "Number of bytes used for mcache structures obtained from system.", mcache, "/memory/classes/metadata/mcache/free:bytes"),
	heap(Gauge, "buck_hash_sys_bytes", "Number of bytes used by the profiling bucket hash table.", "/memory/classes/profiling/buckets:bytes"),
	heap(Gauge, "gc_sys_bytes", "Number of bytes used for garbage collection system metadata.", "/memory/classes/metadata/other:bytes"),
	heap(Gauge, "other_sys_bytes", "Number of bytes used for other system allocations.", "/memory/classes/other:bytes"),
	heap(Gauge, "next_gc_bytes", "Number of heap bytes when next garbage collection will take place.", "/gc/heap/goal:bytes"),
}

var (
	descCount   = New(Gauge, "go_goroutines", "Number of goroutines that currently exist.")
	descInfo    = New(Gauge, "go_info", "Information about the Go environment.", "version")
	descThreads = New(Gauge, "go_threads", "Number of OS threads created.")
	descLastGC  = New(Gauge, "go_memstats_last_gc_time_seconds", "Number of seconds since 1970 of last garbage collection.")
	descPause   = New(Summary, "go_gc_duration_seconds", "Wall-time pause duration in garbage collection cycles.")
)

// Runtime tells of the Go runtime.
type Runtime struct{}

// Collect adds all metrics of the runtime.
func (Runtime) Collect(p *Page) {
	var samples []metrics.Sample
	for _, f := range figures {
		for _, name := range f.from {
			samples = append(samples, metrics.Sample{Name: name})
		}
	}
	metrics.Read(samples)
	for _, f := range figures {
		sum := 0.0
		for range f.from {
			if samples[0].Value.Kind() == metrics.KindUint64 {
				sum += float64(samples[0].Value.Uint64())
			}
			samples = samples[1:]
		}
		p.Value(f.desc, sum)
	}
	p.Value(descCount, float64(runtime.NumGoroutine()))
	p.Value(descInfo, 1, runtime.Version())
	threads, _ := runtime.ThreadCreateProfile(nil)
	p.Value(descThreads, float64(threads))
	collections(p)
}

// collections tells of garbage collections.
func collections(p *Page) {
	s := debug.GCStats{PauseQuantiles: make([]time.Duration, 5)}
	debug.ReadGCStats(&s)
	quantiles := make(map[float64]float64, len(s.PauseQuantiles))
	for i, pause := range s.PauseQuantiles {
		quantiles[float64(i)/float64(len(s.PauseQuantiles)-1)] = pause.Seconds()
	}
	p.Quantiles(descPause, quantiles, s.PauseTotal.Seconds(), uint64(max(s.NumGC, 0)))
	last := 0.0 // there was none yet
	if !s.LastGC.IsZero() {
		last = float64(s.LastGC.UnixNano()) / 1e9
	}
	p.Value(descLastGC, last)
}
