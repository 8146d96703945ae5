package hls

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"testing"
	"time"
)

// BenchmarkWaitingViewers answers so many blocking reloads with one part. "µs/release" passes from its publication to the
// last answer; "B/viewer" is what one answer allocates, the request's own context and header included.
func BenchmarkWaitingViewers(b *testing.B) {
	for _, viewers := range []int{1000, 10_000} {
		b.Run(fmt.Sprint(viewers), func(b *testing.B) { benchmarkWaitingViewers(b, viewers) })
	}
}

func benchmarkWaitingViewers(b *testing.B, viewers int) {
	o := newManualOrigin(b)
	defer o.reg.Close()
	rendition := o.generation().Rendition("audio")
	var before, after runtime.MemStats
	released, allocated := time.Duration(0), uint64(0)
	for b.Loop() {
		next := rendition.Snapshot().Next()
		url := o.reload(next.MSN, next.Index) + "&_HLS_skip=YES"
		var begun, done sync.WaitGroup
		for range viewers {
			begun.Add(1)
			done.Go(func() {
				r := httptest.NewRequest(http.MethodGet, url, nil)
				r.Header.Set("Accept-Encoding", "gzip")
				begun.Done()
				o.router.ServeHTTP(&discard{header: http.Header{}}, r)
			})
		}
		begun.Wait()
		runtime.ReadMemStats(&before)
		came := time.Now()
		for !(directives{msn: next.MSN, part: int64(next.Index)}).satisfies(edgeOf(rendition.Snapshot())) {
			o.advance()
			came = time.Now()
		}
		done.Wait()
		released += time.Since(came)
		runtime.ReadMemStats(&after)
		allocated += after.TotalAlloc - before.TotalAlloc
	}
	b.ReportMetric(float64(released.Microseconds())/float64(b.N), "µs/release")
	b.ReportMetric(float64(allocated)/float64(b.N)/float64(viewers), "B/viewer")
}
