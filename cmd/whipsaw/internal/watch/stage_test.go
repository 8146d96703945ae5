package watch

import (
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whipsaw/fmp4"
	"whipsaw/segmenter/playlist"
)

const (
	partTicks    = 18000 // 200 ms
	partTime     = 200 * time.Millisecond
	perSegment   = 10
	shown        = 10 // segments
	partTarget   = 222 * time.Millisecond
	stageTarget  = 2 * time.Second
	stageStarted = 30 * time.Second // media that is there when the stage opens
)

// stage is a server of low-latency HLS made without the segmenter: a picture and a sound rendition, whose parts come by
// the clock of the bubble that it runs in. What it says can be bent.
type stage struct {
	t      *testing.T
	opened time.Time
	inits  map[string][]byte

	bend    func(rendition string, p *playlist.MediaPlaylist)
	index   func(p *playlist.MultivariantPlaylist)
	before  func(w http.ResponseWriter, r *http.Request) bool // true: it has answered
	noBlock bool
	noParts bool
	ends    time.Duration // after the opening; 0: never
	halts   time.Duration // after the opening, for as long again; 0: never
}

func newStage(t *testing.T) *stage {
	s := &stage{t: t, opened: time.Now().Add(-stageStarted), inits: map[string][]byte{}}
	sps, err := hex.DecodeString("6742c01ed900a02ff97011000003000100000300320f162e48")
	require.NoError(t, err)
	s.inits["video"], err = fmp4.H264Init([][]byte{sps}, [][]byte{{0x68, 0xeb, 0xe3, 0xcb, 0x22, 0xc0}})
	require.NoError(t, err)
	s.inits["audio"], err = fmp4.OpusInit(2)
	require.NoError(t, err)
	return s
}

// RoundTrip answers a request within the process.
func (s *stage) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.ServeHTTP(w, r)
	}()
	select {
	case <-done:
	case <-r.Context().Done():
		<-done
		return nil, r.Context().Err()
	}
	response := w.Result()
	response.Request, response.Proto, response.ProtoMajor = r, "HTTP/2.0", 2
	return response, nil
}

func (s *stage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Cache-Control", "no-cache")
	if s.before != nil && s.before(w, r) {
		return
	}
	_, file, _ := strings.Cut(r.URL.Path, "/live/")
	rendition, name, _ := strings.Cut(file, "/")
	switch {
	case file == "index.m3u8":
		s.answerText(w, s.multivariant())
	case name == "media.m3u8":
		s.media(w, r, rendition)
	default:
		s.bytes(w, r, rendition, name)
	}
}

func (s *stage) answerText(w http.ResponseWriter, text []byte) {
	w.Header().Set("Content-Type", "application/vnd.apple.mpegurl")
	w.Header().Set("Content-Encoding", "gzip")
	var b bytes.Buffer
	z := compressors.Get().(*gzip.Writer)
	defer compressors.Put(z)
	z.Reset(&b)
	z.Write(text)
	z.Close()
	w.Write(b.Bytes())
}

// compressors are reused: one holds about a megabyte.
var compressors = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}

func (s *stage) multivariant() []byte {
	p := playlist.MultivariantPlaylist{
		Version: 9,
		Media: []playlist.Media{{
			Type: playlist.TypeAudio, GroupID: "a", Name: "Audio", Default: true, Autoselect: true, Channels: "2", URI: "audio/media.m3u8",
		}},
		StreamInfs: []playlist.StreamInf{{
			Bandwidth: 100_000, AverageBandwidth: 50_000, Codecs: "avc1.42c01e,Opus", Resolution: playlist.Resolution{Width: 640, Height: 360},
			FrameRate: 30, Audio: "a", ClosedCaptions: playlist.NoClosedCaptions, URI: "video/media.m3u8",
		}},
	}
	if s.index != nil {
		s.index(&p)
	}
	return p.Append(nil)
}

// edge is how many parts there are.
func (s *stage) edge() int {
	at := time.Since(s.opened)
	if s.ends > 0 {
		at = min(at, s.ends+stageStarted)
	}
	if s.halts > 0 && at > stageStarted+s.halts {
		at = max(stageStarted+s.halts, at-s.halts)
	}
	return int(at / partTime)
}

func (s *stage) ended() bool { return s.ends > 0 && time.Since(s.opened) >= s.ends+stageStarted }

// until waits for a part; false if it never comes, or who asks has gone.
func (s *stage) until(r *http.Request, parts int) bool {
	for s.edge() < parts {
		if s.ended() {
			return false
		}
		wait := time.NewTimer(max(10*time.Millisecond, time.Until(s.opened.Add(time.Duration(parts)*partTime))))
		select {
		case <-wait.C:
		case <-r.Context().Done():
			return false
		}
	}
	return true
}

// media answers for a media playlist.
func (s *stage) media(w http.ResponseWriter, r *http.Request, rendition string) {
	q := r.URL.Query()
	msn, err := strconv.Atoi(q.Get("_HLS_msn"))
	blocks := err == nil && !s.noBlock && !s.ended()
	part, err := strconv.Atoi(q.Get("_HLS_part"))
	switch {
	case err != nil:
		part = perSegment - 1
	case !q.Has("_HLS_msn"):
		http.Error(w, "part without segment", http.StatusBadRequest)
		return
	}
	if blocks && msn > s.edge()/perSegment+2 {
		http.Error(w, "too far", http.StatusBadRequest)
		return
	}
	if blocks {
		s.until(r, msn*perSegment+part+1)
	}
	p := s.playlist(rendition)
	if q.Has("_HLS_skip") {
		if d, ok := p.Delta(); ok {
			p = d
		}
	}
	s.answerText(w, p.Append(nil))
}

// playlist is the newest version.
func (s *stage) playlist(rendition string) playlist.MediaPlaylist {
	edge := s.edge()
	p := playlist.MediaPlaylist{
		Version: 9, TargetDuration: 2, PartInf: playlist.PartInf{PartTarget: partTarget},
		ServerControl: playlist.ServerControl{CanBlockReload: true, PartHoldBack: 3 * partTarget, HoldBack: 6 * time.Second, CanSkipUntil: 12 * time.Second},
		EndList:       s.ended(),
	}
	first := max(0, edge/perSegment-shown)
	p.MediaSequence = int64(first)
	for msn := first; msn*perSegment < edge; msn++ {
		g := playlist.Segment{
			URI: fmt.Sprintf("segment-%d.m4s", msn), Duration: stageTarget, ProgramDateTime: s.opened.Add(time.Duration(msn) * stageTarget).UTC().Truncate(time.Millisecond),
		}
		if msn == first {
			g.Map = &playlist.Map{URI: "init.mp4"}
		}
		for i := msn * perSegment; i < min(edge, (msn+1)*perSegment); i++ {
			if edge-(msn+1)*perSegment < 3*perSegment {
				g.Parts = append(g.Parts, playlist.Part{URI: fmt.Sprintf("part-%d.m4s", i), Duration: partTime, Independent: rendition == "audio" || i%perSegment == 0})
			}
		}
		if (msn+1)*perSegment > edge {
			if g.URI, g.Duration = "", 0; p.EndList {
				g.URI, g.Duration = fmt.Sprintf("segment-%d.m4s", msn), time.Duration(len(g.Parts))*partTime
			}
		}
		p.Segments = append(p.Segments, g)
	}
	if !p.EndList {
		p.PreloadHints = []playlist.PreloadHint{{Type: playlist.HintPart, URI: fmt.Sprintf("part-%d.m4s", edge)}}
		other := map[string]string{"video": "audio", "audio": "video"}[rendition]
		p.RenditionReports = []playlist.RenditionReport{{URI: "../" + other + "/media.m3u8", LastMSN: int64((edge - 1) / perSegment), LastPart: (edge - 1) % perSegment}}
	}
	if s.noParts {
		s.withoutParts(&p)
	}
	if s.bend != nil {
		s.bend(rendition, &p)
	}
	return p
}

// withoutParts makes it a stream of ordinary latency.
func (s *stage) withoutParts(p *playlist.MediaPlaylist) {
	p.PartInf, p.ServerControl, p.PreloadHints, p.RenditionReports = playlist.PartInf{}, playlist.ServerControl{}, nil, nil
	if n := len(p.Segments); n > 0 && p.Segments[n-1].Open() {
		p.Segments = p.Segments[:n-1]
	}
	for i := range p.Segments {
		p.Segments[i].Parts = nil
	}
}

// bytes answers for media.
func (s *stage) bytes(w http.ResponseWriter, r *http.Request, rendition, name string) {
	var n int
	var data []byte
	if name == "init.mp4" {
		data = s.inits[rendition]
	} else if _, err := fmt.Sscanf(name, "part-%d.m4s", &n); err == nil {
		if s.edge() <= n && (s.edge() != n || !s.until(r, n+1)) {
			http.NotFound(w, r)
			return
		}
		data = s.part(rendition, n)
	} else if _, err := fmt.Sscanf(name, "segment-%d.m4s", &n); err == nil {
		for i := n * perSegment; i < min(s.edge(), (n+1)*perSegment); i++ {
			data = append(data, s.part(rendition, i)...)
		}
	}
	if len(data) == 0 {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", rendition+"/mp4")
	w.Write(data)
}

// part is six pictures, or ten sounds, of which each says where it stands.
func (s *stage) part(rendition string, n int) []byte {
	count, ticks, at := 6, uint32(3000), uint64(n)*partTicks
	if rendition == "audio" {
		count, ticks, at = 10, 960, uint64(n)*9600
	}
	var samples []fmp4.Sample
	var payload []byte
	for i := range count {
		sync := rendition == "audio" || i == 0 && n%perSegment == 0
		data := []byte{0, 0, 0, 5, 0x41, byte(n >> 8), byte(n), byte(i), 9}
		if sync {
			data[4] = 0x65
		}
		samples = append(samples, fmp4.Sample{Duration: ticks, Size: uint32(len(data)), Sync: sync})
		payload = append(payload, data...)
	}
	data, err := fmp4.Part(uint32(n+1), at, samples, payload)
	if err != nil {
		panic(err)
	}
	return data
}

// text reads what a writer of a report wrote.
func text(t *testing.T, write func(io.Writer) error) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, write(&b))
	return b.String()
}
