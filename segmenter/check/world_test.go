package check

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whipsaw/fmp4"
	"whipsaw/segmenter/playlist"
)

// A world is a faultless rendition, made without the segmenter: twelve segments of about 2 s at 30 frames/s in parts of
// 200 ms. Segment 2 has an IDR in the middle, 3 begins a new epoch with a new init segment, 4 begins without an IDR.
type world struct {
	audio    bool
	files    map[string][]byte
	segments []playlist.Segment // all closed
}

const (
	partTarget  = 222 * time.Millisecond
	segmentsAll = 12
	newEpoch    = 3
)

var worldStart = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

func videoWorld(t testing.TB) *world { return makeWorld(t, false) }
func audioWorld(t testing.TB) *world { return makeWorld(t, true) }

func makeWorld(t testing.TB, audio bool) *world {
	t.Helper()
	w := &world{audio: audio, files: map[string][]byte{}}
	for n, name := range []string{"init-0.mp4", "init-1.mp4"} {
		var err error
		if w.files[name], err = fmp4.OpusInit(1 + n); !audio {
			w.files[name], err = fmp4.H264Init([][]byte{spsOf(t, n)}, [][]byte{{0x68, 0xeb, 0xe3, 0xcb, 0x22, 0xc0}})
		}
		require.NoError(t, err)
	}
	b := &worldBuilder{t: t, w: w}
	for msn := range segmentsAll {
		b.segment(msn)
	}
	return w
}

func spsOf(t testing.TB, n int) []byte {
	sps, err := hex.DecodeString([]string{
		"67640028acd940780227e5c044000003000400000300c83c60c658",
		"6742c01ed900a02ff97011000003000100000300320f162e48",
	}[n])
	require.NoError(t, err)
	return sps
}

type worldBuilder struct {
	t        testing.TB
	w        *world
	sequence uint32
	ticks    uint64
	scale    uint64
}

func (b *worldBuilder) segment(msn int) {
	frame, perPart, sizes := uint64(3000), 6, []int{6, 6, 6, 6, 6, 6, 6, 6, 6, 6}
	b.scale = 90000
	if b.w.audio {
		frame, b.scale, perPart, sizes = 960, 48000, 11, []int{11, 11, 11, 11, 11, 11, 11, 11, 11, 1}
	}
	if msn == 2 && !b.w.audio {
		sizes[4] = perPart / 2 // an IDR comes
	}
	if msn == 2 && b.w.audio {
		sizes = sizes[:9]
		sizes[8] = 7 // 95 frames, as long as video
	}
	s := playlist.Segment{
		URI: fmt.Sprintf("segment-%d.m4s", msn), Discontinuity: msn == newEpoch,
		ProgramDateTime: worldStart.Add(b.now()).Truncate(time.Millisecond),
	}
	if msn == 0 || msn == newEpoch {
		s.Map = &playlist.Map{URI: fmt.Sprintf("init-%d.mp4", min(msn, 1))}
	}
	var whole []byte
	for i, n := range sizes {
		idr := b.w.audio || i == 0 && msn != 4 || i == 5 && msn == 2
		part := playlist.Part{URI: fmt.Sprintf("part-%d-%d.m4s", msn, i), Independent: idr}
		began := b.now()
		data := b.part(n, uint32(frame), idr)
		part.Duration = b.now() - began
		b.w.files[part.URI] = data
		whole = append(whole, data...)
		s.Parts = append(s.Parts, part)
		s.Duration += part.Duration
	}
	b.w.files[s.URI] = whole
	b.w.segments = append(b.w.segments, s)
}

func (b *worldBuilder) now() time.Duration {
	return time.Duration(b.ticks) * time.Second / time.Duration(b.scale)
}

func (b *worldBuilder) part(n int, duration uint32, idr bool) []byte {
	b.sequence++
	var samples []fmp4.Sample
	var payload []byte
	for i := range n {
		sync := idr && (i == 0 || b.w.audio)
		data := []byte{0, 0, 0, 5, 0x41, byte(b.sequence), byte(i), 1, 2}
		if sync {
			data[4] = 0x65
		}
		samples = append(samples, fmp4.Sample{Duration: duration, Size: uint32(len(data)), Sync: sync})
		payload = append(payload, data...)
	}
	data, err := fmp4.Part(b.sequence, b.ticks, samples, payload)
	require.NoError(b.t, err)
	b.ticks += uint64(n) * uint64(duration)
	return data
}

// version is the playlist after so many parts: a window of 14 s, hints, parts for the last 6 s.
func (w *world) version(parts int) playlist.MediaPlaylist {
	p := playlist.MediaPlaylist{
		Version: 9, TargetDuration: 2, PartInf: playlist.PartInf{PartTarget: partTarget},
		ServerControl: playlist.ServerControl{
			CanBlockReload: true, PartHoldBack: 3 * partTarget, HoldBack: 6 * time.Second, CanSkipUntil: 12 * time.Second,
		},
	}
	for _, s := range w.segments {
		s.Parts = slices.Clone(s.Parts)
		if s.Map != nil {
			s.Map = &playlist.Map{URI: s.Map.URI}
		}
		if parts >= len(s.Parts) {
			parts -= len(s.Parts)
			p.Segments = append(p.Segments, s)
			continue
		}
		hint := s.Parts[parts].URI
		if parts > 0 {
			s.URI, s.Duration, s.Parts = "", 0, s.Parts[:parts]
			p.Segments = append(p.Segments, s)
		} else if s.Map != nil && len(p.Segments) > 0 {
			p.PreloadHints = append(p.PreloadHints, playlist.PreloadHint{Type: playlist.HintMap, URI: s.Map.URI})
		}
		p.PreloadHints = append(p.PreloadHints, playlist.PreloadHint{Type: playlist.HintPart, URI: hint})
		break
	}
	w.slide(&p)
	p.EndList = len(p.PreloadHints) == 0
	return p
}

// slide removes what has become old.
func (w *world) slide(p *playlist.MediaPlaylist) {
	for totalLength(p)-p.Segments[0].Duration > 14*time.Second {
		if p.Segments[0].Discontinuity {
			p.DiscontinuitySequence++
		}
		carried := p.Segments[0].Map
		p.Segments = p.Segments[1:]
		p.MediaSequence++
		if p.Segments[0].Map == nil {
			p.Segments[0].Map = carried
		}
	}
	behind := time.Duration(0)
	for i := len(p.Segments) - 1; i >= 0; i-- {
		if behind >= 6*time.Second {
			p.Segments[i].Parts = nil
		}
		behind += length(&p.Segments[i])
	}
}

// parts is how many parts the world has.
func (w *world) parts() int {
	n := 0
	for _, s := range w.segments {
		n += len(s.Parts)
	}
	return n
}

// bend changes what a server would say; nil changes nothing.
type bend struct {
	playlist func(n int, p *playlist.MediaPlaylist)
	bytes    func(uri string, data []byte) []byte
	at       func(n int, at time.Time) time.Time
}

// play feeds a whole world to a Checker as a player would load it, from the first part to the end.
func (w *world) play(t testing.TB, b bend) (*Checker, []Violation) {
	t.Helper()
	return w.playFor(t, Strict, b)
}

func (w *world) playFor(t testing.TB, profile Profile, b bend) (*Checker, []Violation) {
	t.Helper()
	c := NewFor(profile)
	var all []Violation
	for n := 1; n <= w.parts(); n++ {
		p := w.version(n)
		if b.playlist != nil {
			b.playlist(n, &p)
		}
		at := worldStart.Add(time.Duration(n) * 200 * time.Millisecond)
		if b.at != nil {
			at = b.at(n, at)
		}
		all = append(all, c.Playlist(at, p.Append(nil))...)
		for _, uri := range c.Wanted() {
			data := w.files[uri]
			if b.bytes != nil {
				data = b.bytes(uri, slices.Clone(data))
			}
			if data != nil {
				all = append(all, c.Bytes(uri, data)...)
			}
		}
	}
	return c, all
}

// requireRule holds that a bent world breaks a rule, and that the report says what.
func requireRule(t testing.TB, violations []Violation, rule Rule, detail string) {
	t.Helper()
	for _, v := range violations {
		if v.Rule == rule && strings.Contains(v.Detail, detail) {
			bitten[rule] = true
			return
		}
	}
	require.Failf(t, "not noticed", "%v: ...%s...; got %v", rule, detail, violations)
}
