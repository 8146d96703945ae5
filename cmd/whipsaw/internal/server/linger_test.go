package server

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestLinger(t *testing.T) {
	took := func(v *viewers) time.Duration {
		begun := time.Now()
		v.linger(context.Background())
		return time.Since(begun)
	}
	synctest.Test(t, func(t *testing.T) {
		var v viewers
		require.Zero(t, took(&v), "nobody ever watched")
		v.note()
		require.Equal(t, quiet, took(&v))
		require.Zero(t, took(&v), "nobody watches any more")

		go func() {
			for range 3 {
				<-time.After(quiet / 2) // virtual time
				v.note()
			}
		}()
		v.note()
		require.Equal(t, 3*quiet/2+quiet, took(&v), "as long as somebody asks")

		stop := make(chan struct{})
		go func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(quiet / 2):
					v.note()
				}
			}
		}()
		v.note()
		require.Equal(t, maxLinger, took(&v), "but not for ever")
		close(stop)
	})
}
