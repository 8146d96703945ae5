package segmenter

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkWaiters publishes a version that so many wait for. "µs/publish" is what the publisher's goroutine spends on it,
// "µs/release" passes until the last of the waiters has it.
func BenchmarkWaiters(b *testing.B) {
	for _, waiters := range []int{0, 1000, 10_000} {
		b.Run(fmt.Sprint(waiters), func(b *testing.B) { benchmarkWaiters(b, waiters) })
	}
}

func benchmarkWaiters(b *testing.B, waiters int) {
	w := runFor(b)
	v := &w.video.builder
	var version atomic.Int64
	var done sync.WaitGroup
	var all sync.WaitGroup
	stop := make(chan struct{})
	round := make([]chan int64, waiters)
	for i := range round {
		round[i] = make(chan int64, 1)
		all.Go(func() {
			for {
				select {
				case <-stop:
					return
				case want := <-round[i]:
					// The newest version is told apart by how often was published.
					if _, err := v.rendition.Wait(context.Background(), nil, func(*Snapshot) bool { return version.Load() >= want }); err != nil {
						b.Error(err)
					}
					done.Done()
				}
			}
		})
	}
	publish, release := time.Duration(0), time.Duration(0)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		done.Add(waiters)
		want := version.Load() + 1
		for _, c := range round {
			c <- want
		}
		parked(b, round)
		b.StartTimer()
		begun := time.Now()
		version.Store(want)
		w.publish(v, v.next(), true)
		publish += time.Since(begun)
		done.Wait()
		release += time.Since(begun)
	}
	close(stop)
	all.Wait()
	b.ReportMetric(float64(publish.Nanoseconds())/1e3/float64(b.N), "µs/publish")
	b.ReportMetric(float64(release.Nanoseconds())/1e3/float64(b.N), "µs/release")
}

// parked gives the waiters time to take their orders and wait.
func parked(b *testing.B, round []chan int64) {
	b.Helper()
	for _, c := range round {
		for len(c) > 0 {
			<-time.After(100 * time.Microsecond)
		}
	}
	if len(round) > 0 {
		<-time.After(2 * time.Millisecond)
	}
}
