package segmenter

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// A publisher that shall not take over waits until the stream is free, however silent its holder is.
func TestNoTakeOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewRegistry(DefaultConfig(), quiet())
		defer r.Close()
		join := func() (*Publisher, error) {
			return r.Publish("a", PublisherConfig{Tracks: audioTrack, NoTakeOver: true})
		}
		first, err := join()
		require.NoError(t, err)
		time.Sleep(10 * time.Second)
		_, err = join()
		require.ErrorIs(t, err, ErrBusy)
		first.Close(ReasonPeerClosed)
		<-first.Done()
		_, err = join()
		require.NoError(t, err)
	})
}

// encoder publishes for ever: it needs a while to connect, and comes back soon after it was refused or replaced.
type encoder struct{ connect, pause time.Duration }

// run returns when stop is closed; replaced is called each time the stream was taken from it.
func (e encoder) run(r *Registry, stop <-chan struct{}, replaced func()) error {
	for {
		p, err := r.Publish("a", PublisherConfig{Tracks: audioTrack})
		switch {
		case errors.Is(err, ErrBusy):
		case err != nil:
			return err
		default:
			if e.publish(p, stop) {
				return nil
			}
			replaced()
		}
		select {
		case <-stop:
			return nil
		case <-time.After(e.pause):
		}
	}
}

// publish sends until the publisher has ended, or stop is closed: then it returns true.
func (e encoder) publish(p *Publisher, stop <-chan struct{}) (stopped bool) {
	go func() {
		select {
		case <-p.Done():
		case <-time.After(e.connect):
			sing(p, 10000)
		}
	}()
	select {
	case <-p.Done():
		return false
	case <-stop:
		p.Close(ReasonDeleted)
		<-p.Done()
		return true
	}
}

// Two encoders that come back for ever with the same token take the stream from each other at most once in 30 s, also
// where they need longer to connect than an incumbent may be silent.
func TestTwoEncodersDoNotFlap(t *testing.T) {
	for _, connect := range []time.Duration{300 * time.Millisecond, 1500 * time.Millisecond, 2500 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			r := NewRegistry(DefaultConfig(), quiet())
			defer r.Close()
			var mu sync.Mutex
			var times []time.Time
			stop := make(chan struct{})
			var running sync.WaitGroup
			for _, pause := range []time.Duration{500 * time.Millisecond, 700 * time.Millisecond} {
				running.Go(func() {
					err := encoder{connect, pause}.run(r, stop, func() {
						mu.Lock()
						defer mu.Unlock()
						times = append(times, time.Now())
					})
					if err != nil {
						t.Error(err)
					}
				})
			}
			time.Sleep(100 * time.Second)
			close(stop)
			running.Wait()
			require.NotEmpty(t, times)
			for i := 1; i < len(times); i++ {
				require.GreaterOrEqual(t, times[i].Sub(times[i-1]), takeOverSpacing-time.Second, "connecting in %v", connect)
			}
		})
	}
}
