package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/stretchr/testify/require"

	"whipsaw/cmd/whipsaw/internal/doctor"
	"whipsaw/cmd/whipsaw/internal/events"
	"whipsaw/cmd/whipsaw/internal/metrics"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// wire answers requests without a network, so that time may be virtual.
type wire func(*http.Request) (int, error)

func (w wire) RoundTrip(r *http.Request) (*http.Response, error) {
	code, err := w(r)
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: code, Body: io.NopCloser(strings.NewReader("x")), Request: r}, nil
}

// run sends events to w until nothing more happens for an hour.
func run(t *testing.T, w wire, list ...events.Event) *Sender {
	t.Helper()
	s := New(Config{URL: "http://hook.example/secret-path", Secret: "s3cret"}, quiet())
	s.client.Transport = w
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	for _, e := range list {
		if e.At.IsZero() {
			e.At = time.Now()
		}
		s.Send(e)
	}
	go func() {
		defer close(done)
		s.Run(ctx)
	}()
	time.Sleep(time.Hour)
	cancel()
	<-done
	return s
}

// It arrives over real HTTP, signed, and a receiver can check the signature.
func TestDelivery(t *testing.T) {
	got := make(chan *http.Request, 1)
	bodies := make(chan []byte, 1)
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got <- r
		bodies <- body
		w.WriteHeader(http.StatusNoContent)
	}))
	defer hook.Close()
	s := New(Config{URL: hook.URL + "/x", Secret: "s3cret"}, quiet())
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Run(ctx)
	}()
	s.Send(events.Event{ID: 7, Type: "live", Stream: "a", At: time.Now()})
	r, body := <-got, <-bodies
	cancel()
	<-done
	require.Equal(t, http.MethodPost, r.Method)
	require.Equal(t, "application/json", r.Header.Get("Content-Type"))
	require.NotEmpty(t, r.Header.Get(HeaderDelivery))
	require.Equal(t, Sign("s3cret", r.Header.Get(HeaderTimestamp), body), r.Header.Get(HeaderSignature))
	require.NotEqual(t, Sign("other", r.Header.Get(HeaderTimestamp), body), r.Header.Get(HeaderSignature))
	var e events.Event
	require.NoError(t, json.Unmarshal(body, &e))
	require.Equal(t, "live", e.Type)
}

// Receivers in any language agree: printf '1700000000.{"type":"live"}' | openssl dgst -sha256 -hmac key
func TestSignature(t *testing.T) {
	require.Equal(t, "sha256=aa489014cf41f6ddca2f8f0d3fab7b8e43790d2c683eee99cd71f388501e1549", Sign("key", "1700000000", []byte(`{"type":"live"}`)))
}

func TestRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		ids := map[string]bool{}
		begun := time.Now()
		s := run(t, func(r *http.Request) (int, error) {
			at = append(at, time.Since(begun))
			ids[r.Header.Get(HeaderDelivery)] = true
			switch len(at) {
			case 1:
				return 0, errors.New("no route")
			case 2:
				return http.StatusServiceUnavailable, nil
			case 3:
				return http.StatusTooManyRequests, nil
			}
			return http.StatusOK, nil
		}, events.Event{Type: "live"})
		require.Equal(t, []time.Duration{0, time.Second, 3 * time.Second, 7 * time.Second}, at)
		require.Len(t, ids, 1, "a receiver can tell a repetition")
		require.EqualValues(t, 1, s.delivered.Load())
	})
}

func TestGivesUp(t *testing.T) {
	for name, c := range map[string]struct {
		status, tries int
	}{
		"down": {http.StatusBadGateway, attempts}, "refused": {http.StatusForbidden, 1}, "moved": {http.StatusMovedPermanently, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tries := 0
				s := run(t, func(*http.Request) (int, error) {
					tries++
					return c.status, nil
				}, events.Event{Type: "live"})
				require.Equal(t, c.tries, tries)
				require.EqualValues(t, 1, s.failed.Load())
			})
		})
	}
}

// Sending never waits: what there is no room for is counted, and what waited too long is told nobody.
func TestBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var list []events.Event
		for i := range queueRoom + 5 {
			list = append(list, events.Event{Type: "live", Stream: fmt.Sprint(i)})
		}
		list[0].At = time.Now().Add(-staleAfter - time.Second)
		n := 0
		s := run(t, func(*http.Request) (int, error) {
			n++
			return http.StatusOK, nil
		}, list...)
		require.EqualValues(t, 6, s.dropped.Load())
		require.Equal(t, queueRoom-1, n)
	})
}

func TestInfoIsLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		run(t, func(*http.Request) (int, error) {
			n++
			return http.StatusOK, nil
		}, events.Event{Type: events.Finding, Finding: &doctor.Finding{Severity: doctor.Info}}, events.Event{Type: events.Finding, Finding: &doctor.Finding{Severity: doctor.Warning}})
		require.Equal(t, 1, n)
	})
}

// What waits when the server ends has one more chance.
func TestDrain(t *testing.T) {
	s := New(Config{URL: "http://hook.example"}, quiet())
	n := 0
	s.client.Transport = wire(func(r *http.Request) (int, error) {
		n++
		require.Empty(t, r.Header.Get(HeaderSignature), "without a secret")
		return http.StatusOK, nil
	})
	s.Send(events.Event{Type: "ended"})
	s.Send(events.Event{Type: "ended"})
	s.Drain(t.Context())
	require.Equal(t, 2, n)
}

// The URL may be a secret: no error tells it.
func TestNoSecretInErrors(t *testing.T) {
	s := New(Config{URL: "http://user:pw@127.0.0.1:1/hidden?key=hidden"}, quiet())
	_, err := s.attempt(t.Context(), events.Event{}, "id")
	require.Error(t, err)
	require.NotContains(t, err.Error(), "hidden")
	s.cfg.URL = "http://[::1/hidden"
	_, err = s.attempt(t.Context(), events.Event{}, "id")
	require.Error(t, err)
	require.NotContains(t, err.Error(), "hidden")
}

func TestMetrics(t *testing.T) {
	text := metrics.Collect(New(Config{}, quiet())).Text()
	problems, err := promlint.New(bytes.NewReader(text)).Lint()
	require.NoError(t, err)
	require.Empty(t, problems)
	require.Equal(t, 3, bytes.Count(text, []byte("\nwhipsaw_webhook_events_total{result=")))
}
