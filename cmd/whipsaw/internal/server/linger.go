package server

import (
	"context"
	"sync/atomic"
	"time"
)

const (
	// quiet is how long no player must have asked for anything until they all are taken to have what they need.
	quiet = 500 * time.Millisecond
	// maxLinger bounds the wait for that.
	maxLinger = 3 * time.Second
)

// viewers notes when players asked or were answered last.
type viewers struct {
	last atomic.Int64 // nanoseconds since the Unix epoch; 0: never
}

// note is to be called when a player asks, and again when it has been answered.
func (v *viewers) note() { v.last.Store(time.Now().UnixNano()) }

// linger waits until players have fetched the end of what they watch: their playlists have just ended, and the last
// parts are still to be had. Without a viewer it returns at once.
func (v *viewers) linger(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, maxLinger)
	defer cancel()
	for {
		left := quiet - time.Since(time.Unix(0, v.last.Load()))
		if left <= 0 {
			return
		}
		t := time.NewTimer(left)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return
		}
	}
}
