package publish

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/stretchr/testify/require"

	"whipsaw/cmd/whipsaw/internal/demo"
	"whipsaw/segmenter"
	"whipsaw/signaling"
	"whipsaw/signaling/client"
)

const patience = 30 * time.Second

// endpoint is a WHIP server whose answers a test may change while it runs.
type endpoint struct {
	t        *testing.T
	registry *segmenter.Registry
	url      string
	posts    atomic.Int32

	mu   sync.Mutex
	whip *signaling.Server
	deny []int // answers to the next POSTs
}

func newEndpoint(t *testing.T, deny ...int) *endpoint {
	e := &endpoint{t: t, registry: segmenter.NewRegistry(segmenter.DefaultConfig(), slog.New(slog.DiscardHandler)), deny: deny}
	e.restart()
	r := chi.NewRouter()
	r.HandleFunc("/whip/*", e.serve)
	s := httptest.NewServer(r)
	t.Cleanup(func() {
		s.Close()
		e.shut()
		e.registry.Close()
	})
	e.url = s.URL + "/whip/live"
	return e
}

func (e *endpoint) serve(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	whip, deny := e.whip, 0
	if r.Method == http.MethodPost {
		e.posts.Add(1)
		if len(e.deny) > 0 {
			deny, e.deny = e.deny[0], e.deny[1:]
		}
	}
	e.mu.Unlock()
	if deny != 0 {
		w.WriteHeader(deny)
		return
	}
	router := chi.NewRouter()
	router.Route("/whip", whip.Routes)
	router.ServeHTTP(w, r)
}

// restart replaces the WHIP server by a new one, which knows nothing of the old one's sessions.
func (e *endpoint) restart() {
	e.shut()
	whip, err := signaling.New(signaling.Config{UDPAddress: "127.0.0.1:0"}, e.registry, slog.New(slog.DiscardHandler))
	require.NoError(e.t, err)
	e.mu.Lock()
	e.whip = whip
	e.mu.Unlock()
}

func (e *endpoint) shut() {
	e.mu.Lock()
	whip := e.whip
	e.mu.Unlock()
	if whip != nil {
		require.NoError(e.t, whip.Close(context.Background()))
	}
}

func (e *endpoint) status() segmenter.Status {
	if s := e.registry.Lookup("live"); s != nil {
		return s.Status()
	}
	return segmenter.Status{}
}

func (e *endpoint) receives(units int64) {
	e.t.Helper()
	require.Eventually(e.t, func() bool {
		s := e.status()
		return s.Publisher != nil && s.Video != nil && s.Video.Units > units
	}, patience, 20*time.Millisecond, "pictures arrive")
}

// start publishes the clip in a loop; the channel gets the result.
func (e *endpoint) start(ctx context.Context, o Options) <-chan error {
	m, err := Open(demo.Clip())
	require.NoError(e.t, err)
	o.URL, o.Loop = e.url, true
	done := make(chan error, 1)
	go func() { done <- Run(ctx, m, o) }()
	return done
}

func TestRunEndsWithDelete(t *testing.T) {
	e := newEndpoint(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := e.start(ctx, Options{UserAgent: "agent/1"})
	e.receives(30)
	require.Equal(t, "agent/1", e.status().Publisher.UserAgent)
	cancel()
	require.NoError(t, <-done)
	require.Eventually(t, func() bool {
		end := e.status().LastEnd
		return end != nil && end.Reason == segmenter.ReasonDeleted
	}, patience, 20*time.Millisecond)
}

func TestRunWaitsForServer(t *testing.T) {
	e := newEndpoint(t, http.StatusServiceUnavailable, http.StatusTooManyRequests)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := e.start(ctx, Options{Reconnect: patience})
	e.receives(10)
	require.EqualValues(t, 3, e.posts.Load())
	cancel()
	require.NoError(t, <-done)
}

func TestRunGivesUp(t *testing.T) {
	for _, status := range []int{http.StatusUnauthorized, http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity} {
		e := newEndpoint(t, status)
		err := <-e.start(t.Context(), Options{Reconnect: patience})
		var answer *client.ResponseError
		require.ErrorAs(t, err, &answer)
		require.Equal(t, status, answer.Status)
		require.EqualValues(t, 1, e.posts.Load(), "%d is an answer for good", status)
	}
}

func TestRunWithoutReconnect(t *testing.T) {
	e := newEndpoint(t, http.StatusServiceUnavailable)
	require.Error(t, <-e.start(t.Context(), Options{}))
	require.EqualValues(t, 1, e.posts.Load())
}

// A server that goes away and comes back gets a new session, which begins with a keyframe.
func TestRunReconnects(t *testing.T) {
	e := newEndpoint(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var progress lines
	done := e.start(ctx, Options{Reconnect: patience, Progress: &progress})
	e.receives(30)
	first := e.status().Publisher.Session
	e.restart()
	require.Eventually(t, func() bool {
		s := e.status()
		return s.Publisher != nil && s.Publisher.Session != first && s.Video != nil && s.Video.Units > 10
	}, patience, 20*time.Millisecond, "another session")
	require.Zero(t, e.status().Video.Dropped, "the new session begins with a keyframe")
	cancel()
	require.NoError(t, <-done)
	require.Contains(t, progress.String(), "waiting: whip: ")
	require.Contains(t, progress.String(), "ended")
}

func TestOpenRefuses(t *testing.T) {
	_, err := Open(bytes.NewReader([]byte("not a film")), 10)
	require.Error(t, err)
}

func TestFinal(t *testing.T) {
	require.True(t, final(client.ErrOptions))
	require.True(t, final(unreadable(errors.New("disk"))))
	require.False(t, final(client.ErrLost))
	require.False(t, final(client.ErrPeerClosed))
	require.False(t, final(&client.ResponseError{Status: 502}))
	require.Equal(t, 7*time.Second, retryAfter(&client.ResponseError{Status: 503, RetryAfter: 7 * time.Second}))
}

// lines is a bytes.Buffer for two goroutines.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
