package hls

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"whipsaw/segmenter"
)

// discard is a ResponseWriter that costs nothing.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header              { return d.header }
func (d *discard) WriteHeader(int)                  {}
func (d *discard) Write(b []byte) (int, error)      { return len(b), nil }
func (d *discard) Flush()                           {}
func (d *discard) SetWriteDeadline(time.Time) error { return nil }

func BenchmarkRequest(b *testing.B) {
	o := newManualOrigin(b)
	defer o.reg.Close()
	snapshot := o.snapshot("audio")
	for name, path := range map[string]string{
		"multivariant": "/hls/live/index.m3u8",
		"playlist":     o.base() + "media.m3u8",
		"reload":       o.base() + "media.m3u8?_HLS_msn=3&_HLS_part=1&_HLS_skip=YES",
		"part":         o.base() + snapshot.Segments[3].Parts[1].URI(),
		"segment":      o.base() + segmenter.SegmentURI(snapshot.Segments[3].MSN),
		"unknown":      "/hls/other/index.m3u8",
	} {
		b.Run(name, func(b *testing.B) {
			r := httptest.NewRequest(http.MethodGet, path, nil)
			r.Header.Set("Accept-Encoding", "gzip, deflate, br, zstd")
			b.ReportAllocs()
			for b.Loop() {
				o.router.ServeHTTP(&discard{header: http.Header{}}, r)
			}
		})
	}
}

// BenchmarkThousandWaiters measures from the publication of a part to the last of a thousand answers that waited for it.
func BenchmarkThousandWaiters(b *testing.B) {
	const viewers = 1000
	o := newManualOrigin(b)
	defer o.reg.Close()
	rendition := o.generation().Rendition("audio")
	worst, sum := time.Duration(0), time.Duration(0)
	for b.Loop() {
		next := rendition.Snapshot().Next()
		url := o.reload(next.MSN, next.Index) + "&_HLS_skip=YES"
		var begun, done sync.WaitGroup
		for range viewers {
			begun.Add(1)
			done.Go(func() {
				r := httptest.NewRequest(http.MethodGet, url, nil)
				begun.Done()
				o.router.ServeHTTP(&discard{header: http.Header{}}, r)
			})
		}
		begun.Wait()
		came := time.Now()
		for !(directives{msn: next.MSN, part: int64(next.Index)}).satisfies(edgeOf(rendition.Snapshot())) {
			o.advance()
			came = time.Now()
		}
		done.Wait()
		took := time.Since(came)
		sum += took
		worst = max(worst, took)
	}
	b.ReportMetric(float64(sum.Microseconds())/float64(b.N), "µs/release")
	b.ReportMetric(float64(worst.Microseconds()), "µs-worst")
}
