package server

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestLinger(t *testing.T) {
	ask := func(v *viewers) {
		v.note(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
	}
	took := func(v *viewers) time.Duration {
		begun := time.Now()
		v.linger(context.Background())
		return time.Since(begun)
	}
	synctest.Test(t, func(t *testing.T) {
		var v viewers
		require.Zero(t, took(&v), "nobody ever watched")
		ask(&v)
		require.Equal(t, quiet, took(&v))
		require.Zero(t, took(&v), "nobody watches any more")

		waiting, answered := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(answered)
			v.note(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-waiting })).ServeHTTP(nil, nil)
		}()
		synctest.Wait()
		require.Equal(t, quiet, took(&v), "somebody who has not been answered yet")
		close(waiting)
		<-answered
		require.Equal(t, quiet, took(&v))

		go func() {
			for range 3 {
				<-time.After(quiet / 2) // virtual time
				ask(&v)
			}
		}()
		ask(&v)
		require.Equal(t, 3*quiet/2+quiet, took(&v), "as long as somebody asks")

		stop := make(chan struct{})
		go func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(quiet / 2):
					ask(&v)
				}
			}
		}()
		ask(&v)
		require.Equal(t, maxLinger, took(&v), "but not for ever")
		close(stop)
	})
}
