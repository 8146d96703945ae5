package main

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/pion/rtp"
	payload "github.com/pion/rtp/codecs"
	"github.com/stretchr/testify/require"

	"whipsaw/cmd/whipsaw/internal/access"
	"whipsaw/cmd/whipsaw/internal/admin"
	"whipsaw/cmd/whipsaw/internal/api"
	"whipsaw/cmd/whipsaw/internal/doctor"
	"whipsaw/cmd/whipsaw/internal/insight"
	"whipsaw/segmenter"
)

// panel is all that an operator has, of a server without a network: its API, its metrics and its log.
type panel struct {
	t   *testing.T
	reg *segmenter.Registry
	web http.Handler
	log *buffer
}

// newPanel must be made inside a bubble of synctest: whatever it shows goes on in virtual time, until stop.
func newPanel(t *testing.T, limits doctor.Limits) (p *panel, stop func()) {
	t.Helper()
	out := &buffer{}
	in := insight.New(insight.Config{Limits: func(string) doctor.Limits { return limits }}, slog.New(slog.NewTextHandler(out, nil)))
	cfg := segmenter.DefaultConfig()
	cfg.Observe = in.Observe
	reg := segmenter.NewRegistry(cfg, in.Log)
	in.Attach(reg)
	gate, err := access.New(access.Config{}, in.Log)
	require.NoError(t, err)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		in.Run(t.Context())
	}()
	r := chi.NewRouter()
	r.HandleFunc("/{stream}/player", func(_ http.ResponseWriter, r *http.Request) { in.Playback.Read(r.Header, r.URL.Path) })
	api.Routes(r, api.Config{Registry: reg, Gate: gate, Insight: in}, in.Log)
	admin.Routes(r, admin.Sources{Registry: reg, Players: in.Audience.Viewers, Findings: in.Doctor.Findings, Playback: in.Playback.Stats, More: in.Collectors()})
	return &panel{t: t, reg: reg, web: r, log: out}, func() {
		reg.Close()
		gate.Close()
	}
}

// read is what the panel answers.
func (p *panel) read(path string) string {
	p.t.Helper()
	w := httptest.NewRecorder()
	p.web.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	require.Equal(p.t, http.StatusOK, w.Code, "%s: %s", path, w.Body)
	return w.Body.String()
}

// picture is one access unit of a film.
type picture struct {
	nalus [][]byte
	idr   bool
}

// film reads an Annex B file with access unit delimiters.
func film(t *testing.T, name string) []picture {
	t.Helper()
	raw, err := os.ReadFile("../../segmenter/testdata/" + name)
	require.NoError(t, err)
	var all []picture
	for _, n := range bytes.Split(raw, []byte{0, 0, 1}) {
		n = bytes.TrimRight(n, "\x00")
		if len(n) == 0 {
			continue
		}
		if n[0]&31 == 9 {
			all = append(all, picture{})
			continue
		}
		last := &all[len(all)-1]
		last.nalus = append(last.nalus, n)
		last.idr = last.idr || n[0]&31 == 5
	}
	return all
}

// sender is a publisher that can be made to do everything wrong. Its zero value, with a film, does nothing wrong.
type sender struct {
	agent    string
	film     []picture
	other    []picture // shown in turns with film, every five seconds
	gop      int       // pictures between keyframes; 0: 60, below: no keyframe at all
	obeys    bool      // gives a keyframe when asked
	rate     func(at time.Duration) int
	lose     func(packet int) bool
	reports  bool
	noAudio  bool // declares it and sends none
	noVideo  bool
	mono     bool
	drift    time.Duration // of the clock of sound, per second
	stop     time.Duration // pictures stop for three seconds
	skip     time.Duration // the clock of sound jumps then
	vanishes time.Duration

	pub   *segmenter.Publisher
	pay   payload.H264Payloader
	seq   [2]uint16
	asked chan struct{}
	sent  int
	next  int
	since int // pictures since the last keyframe
}

// publish sends for a while, in virtual time.
func (s *sender) publish(t *testing.T, reg *segmenter.Registry, length time.Duration) {
	t.Helper()
	s.asked = make(chan struct{}, 1)
	if s.gop == 0 {
		s.gop = 60
	}
	if s.rate == nil {
		s.rate = func(time.Duration) int { return 30 }
	}
	var err error
	s.pub, err = reg.Publish("live", segmenter.PublisherConfig{Session: "s1", UserAgent: s.agent, Tracks: []segmenter.TrackConfig{
		{Kind: segmenter.Video, NACK: func([]uint16) {}, PLI: func() {
			select {
			case s.asked <- struct{}{}:
			default:
			}
		}},
		{Kind: segmenter.Audio, Channels: 2, NACK: func([]uint16) {}},
	}})
	require.NoError(t, err)
	begun := time.Now()
	var picture, sound, report time.Duration
	for at := time.Duration(0); at < length; at += 5 * time.Millisecond {
		time.Sleep(time.Until(begun.Add(at)))
		if s.vanishes > 0 && at >= s.vanishes {
			s.pub.Close(segmenter.ReasonICEFailed)
			return
		}
		if at >= picture && !s.noVideo {
			if s.stop == 0 || at < s.stop || at >= s.stop+3*time.Second {
				s.picture(at)
			}
			picture += time.Second / time.Duration(s.rate(at))
		}
		if at >= sound && !s.noAudio {
			s.sound(at)
			sound += 20 * time.Millisecond
		}
		if at >= report && s.reports {
			s.report(at)
			report += time.Second
		}
	}
}

func (s *sender) picture(at time.Duration) {
	reel := s.film
	if s.other != nil && int(at/(5*time.Second))%2 == 1 {
		reel = s.other
	}
	key := s.gop > 0 && (s.since >= s.gop || s.sent == 0)
	if s.obeys && s.gop > 0 {
		select {
		case <-s.asked:
			key = true
		default:
		}
	}
	s.next = (s.next + 1) % len(reel)
	for reel[s.next].idr != key {
		s.next = (s.next + 1) % len(reel)
	}
	s.since++
	if key {
		s.since = 0
	}
	nalus := reel[s.next].nalus
	var payloads [][]byte
	for _, n := range nalus {
		payloads = append(payloads, s.pay.Payload(1100, n)...)
	}
	for i, p := range payloads {
		s.packet(segmenter.Video, uint32(at.Seconds()*90000), p, i == len(payloads)-1)
	}
	s.sent++
}

func (s *sender) sound(at time.Duration) {
	toc := byte(0xfc) // CELT, 20 ms, stereo
	if s.mono {
		toc = 0xf8
	}
	s.packet(segmenter.Audio, s.audioTime(at), []byte{toc, 1, 2, 3, 4, 5, 6, 7}, false)
}

func (s *sender) audioTime(at time.Duration) uint32 {
	media := at + time.Duration(at.Seconds()*float64(s.drift))
	if s.skip > 0 && at >= s.skip {
		media += time.Hour
	}
	return uint32(int64(media/(20*time.Millisecond)*960) + int64(media%(20*time.Millisecond))*48000/int64(time.Second))
}

func (s *sender) packet(k segmenter.Kind, timestamp uint32, payload []byte, marker bool) {
	raw, err := (&rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: s.seq[k], Timestamp: timestamp, Marker: marker, SSRC: uint32(k) + 1}, Payload: payload}).Marshal()
	if err != nil {
		panic(err)
	}
	s.seq[k]++
	if s.lose == nil || !s.lose(int(s.seq[k])) {
		s.pub.Track(k).WriteRTP(raw)
	}
}

func (s *sender) report(at time.Duration) {
	ntp := uint64(3_900_000_000+int64(at/time.Second))<<32 | uint64(at%time.Second)<<32/uint64(time.Second)
	s.pub.Track(segmenter.Video).WriteSenderReport(ntp, uint32(at.Seconds()*90000))
	s.pub.Track(segmenter.Audio).WriteSenderReport(ntp, s.audioTime(at))
}
