package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whipsaw/cmd/whipsaw/internal/config"
	"whipsaw/cmd/whipsaw/internal/server"
)

// serve runs a server until the test ends, and returns its URL.
func serve(t testing.TB, more ...string) string {
	t.Helper()
	args := []string{"--listen=127.0.0.1:0", "--webrtc-udp=127.0.0.1:0", "--admin=", "--part=100ms", "--segment=1s"}
	cfg, err := config.ParseServe(append(args, more...), func(string) (string, bool) { return "", false })
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	started, ended := make(chan server.Addresses, 1), make(chan error, 1)
	go func() {
		ended <- server.Run(ctx, cfg, server.Options{Log: slog.New(slog.DiscardHandler), Started: func(a server.Addresses) { started <- a }})
	}()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended)
	})
	return (<-started).URL()
}

// A short run against the real server: what comes out is what went in.
func TestRun(t *testing.T) {
	t.Parallel()
	at := serve(t)
	c, err := OpenClip("")
	require.NoError(t, err)
	var progress bytes.Buffer
	const streams, viewers, seconds = 2, 10, 1.0
	o := Options{
		WHIP: at + "/whip/b{n}", HLS: at + "/hls/b{n}/index.m3u8", Publishers: streams, Viewers: viewers, Clip: c, HTTP: "1.1",
		Time: seconds * time.Second, Warm: 100 * time.Millisecond, Label: "test", Version: "v", Progress: &progress,
	}
	if runtime.GOOS == "linux" {
		o.PID = os.Getpid()
	}
	r, err := Run(t.Context(), o)
	require.NoError(t, err)
	require.Empty(t, r.Errors)

	require.Equal(t, Work{Publishers: streams, Viewers: viewers, Clip: c.Name, FrameRate: c.FrameRate(), Bitrate: c.Bitrate, HTTP: "1.1", Seconds: seconds}, r.Work)
	require.Zero(t, r.Ingest.Lost)
	require.Positive(t, r.Ingest.FirstPlaylist)
	require.Greater(t, r.Ingest.Frames, int64(streams), "pictures were sent")
	require.Greater(t, r.Ingest.Packets, r.Ingest.Frames)

	w := r.Watch
	require.Empty(t, w.Errors)
	require.Positive(t, w.Parts)
	require.InDelta(t, w.Requests, w.Playlists+w.Parts, 2*viewers, "one request for each playlist and part, and some are under way")
	require.Positive(t, w.Bytes)
	require.Zero(t, w.Unmarked, "each part says when it was sent")
	require.LessOrEqual(t, w.Part.Count, uint64(w.Parts)+2*viewers)
	require.Positive(t, w.Part.Count)
	for name, q := range map[string]Quantiles{"part": w.Part, "first": w.First, "playlist": w.Playlist, "release": w.Release, "delivery": w.Delivery} {
		require.True(t, 0 <= q.P50 && q.P50 <= q.P90 && q.P90 <= q.P99 && q.P99 <= q.Max, "%s: %+v", name, q)
		require.Less(t, q.Max, 30000.0, name)
	}
	require.Positive(t, w.Part.P50, "nothing comes before it was sent")
	if o.PID != 0 {
		require.Positive(t, r.Server.WatchRSS)
		require.NotEmpty(t, r.Server.Samples)
	}

	var asJSON, asTable bytes.Buffer
	require.NoError(t, r.WriteJSON(&asJSON))
	var again Result
	require.NoError(t, json.Unmarshal(asJSON.Bytes(), &again))
	require.Equal(t, *r, again)
	require.NoError(t, r.WriteTable(&asTable))
	for _, row := range []string{"published ", "part delay ", "first viewer ", "release ", "bench itself "} {
		require.Contains(t, asTable.String(), row)
	}
	require.Contains(t, progress.String(), "viewers")
}

// Publishers and viewers take a certificate that nobody has signed where they are told to, and only there.
func TestRunInsecure(t *testing.T) {
	t.Parallel()
	at := serve(t, "--tls-self-signed")
	c, err := OpenClip("")
	require.NoError(t, err)
	o := Options{
		WHIP: at + "/whip/x", HLS: at + "/hls/x/index.m3u8", Publishers: 1, Viewers: 1, Clip: c, HTTP: "2", Time: time.Second,
	}
	_, err = Run(t.Context(), o)
	require.ErrorContains(t, err, "certificate")
	o.Insecure = true
	r, err := Run(t.Context(), o)
	require.NoError(t, err)
	require.Empty(t, r.Errors)
	require.Empty(t, r.Watch.Errors)
	require.Positive(t, r.Watch.Parts)
}

// What cannot begin is an error; what was told to end returns what there is.
func TestRunFails(t *testing.T) {
	t.Parallel()
	at := serve(t)
	c, err := OpenClip("")
	require.NoError(t, err)
	o := Options{WHIP: at + "/nowhere/{n}", Publishers: 2, Clip: c, Time: time.Second}
	_, err = Run(t.Context(), o)
	require.ErrorContains(t, err, "404")

	o = Options{HLS: at + "/hls/x/index.m3u8", Viewers: 1, Publishers: 1, Time: time.Second, HTTP: "1.1", PID: 1 << 30}
	_, err = Run(t.Context(), o)
	require.ErrorContains(t, err, "server process")

	o.PID, o.Time = 0, 2*time.Second // a viewer tries again within half as much more than a second
	r, err := Run(t.Context(), o)
	require.NoError(t, err)
	require.Positive(t, r.Watch.Errors["multivariant playlist: status 404"], "a stream that is not there is counted, not fatal")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	o.Time = time.Hour
	_, err = Run(ctx, o)
	require.ErrorIs(t, err, context.Canceled)
}
