package hls

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	"github.com/stretchr/testify/require"

	"whipsaw/segmenter"
	"whipsaw/segmenter/playlist"
)

// What Cache-Control must say, letter by letter.
const (
	noStoreText = "no-store"
	foreverText = "public, max-age=31536000, immutable"
)

// origin is a real registry behind the real router, with one publisher on the stream "live". Its clock is that of the
// synctest bubble, or one that only its sources move.
type origin struct {
	t      testing.TB
	reg    *segmenter.Registry
	router http.Handler
	pub    *segmenter.Publisher
	pass   func(time.Duration)
	frozen atomic.Pointer[time.Time] // the streams' clock stands still, the bubble's does not

	frames   int // sound that was sent
	pictures int
	jumped   int // units of the clip that were left out
	sequence [2]uint16
	units    [][][]byte
}

func newOrigin(t testing.TB, opts Options, change func(*segmenter.Config), kinds ...segmenter.Kind) *origin {
	t.Helper()
	cfg := segmenter.DefaultConfig()
	o := &origin{t: t, pass: func(d time.Duration) { <-time.After(d) }}
	cfg.Now = o.now
	if change != nil {
		change(&cfg)
	}
	require.NoError(t, cfg.Validate())
	o.reg = segmenter.NewRegistry(cfg, slog.New(slog.DiscardHandler))
	h := New(o.reg, opts)
	o.router = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := cmp.Or(r.URL.RawPath, r.URL.Path)
		require.True(t, strings.HasPrefix(path, "/hls/"))
		h.Serve(w, r, strings.TrimPrefix(path, "/hls"))
	})
	if len(kinds) > 0 {
		o.publish(kinds...)
	}
	return o
}

// newManualOrigin is for tests outside of bubbles: half a minute of sound, and a clock that only its sources move.
func newManualOrigin(t testing.TB) *origin {
	o := newOrigin(t, Options{}, nil)
	o.freeze()
	o.pass = func(d time.Duration) {
		now := o.now().Add(d)
		o.frozen.Store(&now)
	}
	o.publish(segmenter.Audio)
	for o.reg.Lookup("live").Generation() == nil {
		o.sound()
		<-time.After(5 * time.Millisecond) // for the stream's goroutine
	}
	for len(o.snapshot("audio").Segments) < 16 {
		o.advance()
	}
	return o
}

// advance sends as much sound as a part may hold and waits until there is a new version. Were the clock to run ahead of
// the stream's goroutine, that one would see nothing but silence.
func (o *origin) advance() {
	rendition := o.generation().Rendition("audio")
	before := rendition.Snapshot()
	for range int(o.reg.Config().Part / (20 * time.Millisecond)) {
		o.sound()
	}
	ctx, cancel := context.WithTimeout(o.t.Context(), 10*time.Second)
	defer cancel()
	_, err := rendition.Wait(ctx, nil, func(s *segmenter.Snapshot) bool { return s != before })
	require.NoError(o.t, err)
}

func (o *origin) now() time.Time {
	if t := o.frozen.Load(); t != nil {
		return *t
	}
	return time.Now()
}

// freeze stops the streams: nothing comes any more, nor does any filler.
func (o *origin) freeze() {
	now := time.Now()
	o.frozen.Store(&now)
}

func (o *origin) publish(kinds ...segmenter.Kind) {
	o.t.Helper()
	cfg := segmenter.PublisherConfig{Session: "test"}
	for _, k := range kinds {
		cfg.Tracks = append(cfg.Tracks, segmenter.TrackConfig{Kind: k, Channels: 2})
	}
	pub, err := o.reg.Publish("live", cfg)
	require.NoError(o.t, err)
	o.pub = pub
}

// sound sends one packet of 20 ms and lets them pass.
func (o *origin) sound() {
	payload := binary.BigEndian.AppendUint32([]byte{0xfc}, uint32(o.frames)) // CELT, 20 ms, stereo
	o.send(segmenter.Audio, uint32(960*o.frames), true, payload)
	o.frames++
	o.pass(20 * time.Millisecond)
}

func (o *origin) send(k segmenter.Kind, timestamp uint32, marker bool, payload []byte) {
	packet := rtp.Packet{Header: rtp.Header{
		Version: 2, SequenceNumber: o.sequence[k], Timestamp: timestamp, SSRC: uint32(k) + 1, Marker: marker,
	}, Payload: payload}
	o.sequence[k]++
	raw, err := packet.Marshal()
	require.NoError(o.t, err)
	o.pub.Track(k).WriteRTP(raw)
}

// picture sends the next access unit of a clip of 30 frames a second.
func (o *origin) picture() {
	if o.units == nil {
		o.units = loadUnits(o.t, "plain.h264")
	}
	var payloader codecs.H264Payloader
	var payloads [][]byte
	for _, nalu := range o.units[(o.pictures+o.jumped)%len(o.units)] {
		payloads = append(payloads, payloader.Payload(1100, nalu)...)
	}
	for i, p := range payloads {
		o.send(segmenter.Video, uint32(3000*o.pictures), i == len(payloads)-1, p)
	}
	o.pictures++
}

// jump goes on with the next IDR of the clip.
func (o *origin) jump() {
	for idr := false; !idr; {
		o.jumped++
		for _, nalu := range o.units[(o.pictures+o.jumped)%len(o.units)] {
			idr = idr || nalu[0]&31 == 5
		}
	}
}

// loadUnits cuts the clip into access units of NAL units.
func loadUnits(t testing.TB, file string) (units [][][]byte) {
	raw, err := os.ReadFile("../testdata/" + file)
	require.NoError(t, err)
	for nalu := range bytes.SplitSeq(raw, []byte{0, 0, 1}) {
		if nalu = bytes.TrimRight(nalu, "\x00"); len(nalu) == 0 {
			continue
		}
		if nalu[0]&31 == 9 {
			units = append(units, nil)
		}
		units[len(units)-1] = append(units[len(units)-1], nalu)
	}
	return units
}

// play sends sound, and pictures if there is such a track, for d.
func (o *origin) play(d time.Duration) {
	for end := o.frames + int(d/(20*time.Millisecond)); o.frames < end; {
		for o.pub.Track(segmenter.Video) != nil && o.pictures*3000*1000/90 <= o.frames*20_000 {
			o.picture()
		}
		o.sound()
	}
	o.settle()
}

// settle lets the stream's goroutine finish what it was given.
func (o *origin) settle() { synctest.Wait() }

func (o *origin) generation() *segmenter.Generation {
	o.t.Helper()
	gen := o.reg.Lookup("live").Generation()
	require.NotNil(o.t, gen, "nothing was published")
	return gen
}

func (o *origin) snapshot(rendition string) *segmenter.Snapshot {
	return o.generation().Rendition(rendition).Snapshot()
}

// base is the path under which the audio rendition lies.
func (o *origin) base() string { return "/hls/live/" + o.generation().ID() + "/audio/" }

// answer is a ResponseWriter in memory that keeps what happens to it in order.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
	events []string
	done   chan struct{}
	took   time.Duration
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

func (a *answer) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	a.events = append(a.events, fmt.Sprintf("write %d", len(b)))
	return a.body.Write(b)
}

func (a *answer) Flush() { a.events = append(a.events, "flush") }

func (a *answer) SetWriteDeadline(t time.Time) error {
	event := "deadline lifted"
	if !t.IsZero() {
		event = fmt.Sprintf("deadline %v", time.Until(t).Round(time.Millisecond))
	}
	a.events = append(a.events, event)
	return nil
}

func (a *answer) finished() bool {
	select {
	case <-a.done:
		return true
	default:
		return false
	}
}

// start begins a request in the background; headers come as name, value, name, value.
func (o *origin) start(ctx context.Context, method, url string, headers ...string) *answer {
	r := httptest.NewRequestWithContext(ctx, method, url, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	a := &answer{header: http.Header{}, done: make(chan struct{})}
	began := time.Now()
	go func() {
		o.router.ServeHTTP(a, r)
		a.took = time.Since(began)
		close(a.done)
	}()
	return a
}

// get waits for the answer.
func (o *origin) get(url string, headers ...string) *answer {
	return o.do(http.MethodGet, url, headers...)
}

func (o *origin) do(method, url string, headers ...string) *answer {
	a := o.start(o.t.Context(), method, url, headers...)
	<-a.done
	return a
}

func (a *answer) media(t testing.TB) playlist.MediaPlaylist {
	t.Helper()
	require.Equal(t, http.StatusOK, a.status, a.body.String())
	p, err := playlist.ParseMedia(a.body.Bytes())
	require.NoError(t, err)
	return p
}
