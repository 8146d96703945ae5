package segmenter

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"sync"
	"time"

	"whipsaw/segmenter/playlist"
)

// playlistVersion is EXT-X-VERSION: 9 is what EXT-X-SKIP needs (rfc8216bis 8), and it stays the same for ever.
const playlistVersion = 9

// MediaPlaylistName is the last part of a media playlist's URI.
const MediaPlaylistName = "media.m3u8"

// URI is the part's name relative to its media playlist.
func (id PartID) URI() string {
	b := append(make([]byte, 0, 32), "part-"...)
	b = strconv.AppendInt(b, id.Epoch, 10)
	b = strconv.AppendInt(append(b, '-'), id.MSN, 10)
	b = strconv.AppendInt(append(b, '-'), int64(id.Index), 10)
	return string(append(b, ".m4s"...))
}

// SegmentURI is a segment's name relative to its media playlist.
func SegmentURI(msn int64) string { return "segment-" + strconv.FormatInt(msn, 10) + ".m4s" }

// InitURI is an init segment's name relative to its media playlist.
func InitURI(n int) string { return "init-" + strconv.Itoa(n) + ".mp4" }

// Playlist returns this version as a full playlist, made at the first call.
func (s *Snapshot) Playlist() *Rendered {
	s.full.once.Do(func() {
		p := s.media()
		s.full.out = render(p.Append(nil))
	})
	return s.full.out
}

// Delta returns this version as a playlist delta update (rfc8216bis 6.2.5.1), made at the first call. It is the full
// playlist when nothing may be skipped.
func (s *Snapshot) Delta() *Rendered {
	s.delta.once.Do(func() {
		p := s.media()
		if d, ok := p.Delta(); ok && !s.Ended {
			s.delta.out = render(d.Append(nil))
			return
		}
		s.delta.out = s.Playlist()
	})
	return s.delta.out
}

// compressors are reused: one holds about a megabyte.
var compressors = sync.Pool{New: func() any {
	w, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // errs only on an unknown level
	return w
}}

// render compresses a playlist once for all who accept gzip.
func render(body []byte) *Rendered {
	var z bytes.Buffer
	w := compressors.Get().(*gzip.Writer)
	w.Reset(&z)
	w.Write(body) // a bytes.Buffer does not fail
	w.Close()
	compressors.Put(w)
	sum := sha256.Sum256(body)
	return &Rendered{Body: body, Gzip: z.Bytes(), ETag: `"` + hex.EncodeToString(sum[:8]) + `"`}
}

// media is the playlist that this version stands for.
func (s *Snapshot) media() playlist.MediaPlaylist {
	target := time.Duration(s.cfg.TargetDuration()) * time.Second
	p := playlist.MediaPlaylist{
		Version:        playlistVersion,
		TargetDuration: s.cfg.TargetDuration(),
		ServerControl: playlist.ServerControl{
			CanBlockReload: true, PartHoldBack: 3 * s.cfg.Part, HoldBack: 3 * target, CanSkipUntil: s.cfg.skipUntil(),
		},
		PartInf:               playlist.PartInf{PartTarget: s.cfg.Part},
		DiscontinuitySequence: s.Discontinuity,
		EndList:               s.Ended,
	}
	listed := s.Segments[s.First:]
	p.Segments = make([]playlist.Segment, len(listed))
	if len(listed) > 0 {
		p.MediaSequence = listed[0].MSN
	}
	// EXT-X-PART leaves the playlist three target durations before its end (rfc8216bis 4.4.4.9).
	left := 3 * target
	for i := len(listed) - 1; i >= 0; i-- {
		g := listed[i]
		p.Segments[i] = segmentTag(g, left > 0)
		if i == 0 || listed[i-1].Init != g.Init || g.Discontinuity {
			p.Segments[i].Map = &playlist.Map{URI: InitURI(g.Init)}
		}
		left -= g.Duration()
	}
	s.announce(&p, listed)
	return p
}

// announce adds what stands below the segments: hints and rendition reports, while there is something to come.
func (s *Snapshot) announce(p *playlist.MediaPlaylist, listed []*Segment) {
	if s.Ended {
		return
	}
	if s.hinted {
		if n := len(listed); n > 0 && listed[n-1].Init != s.newest {
			p.PreloadHints = append(p.PreloadHints, playlist.PreloadHint{Type: playlist.HintMap, URI: InitURI(s.newest)})
		}
		p.PreloadHints = append(p.PreloadHints, playlist.PreloadHint{Type: playlist.HintPart, URI: s.hint.URI()})
	}
	for _, r := range s.reports {
		p.RenditionReports = append(p.RenditionReports, playlist.RenditionReport{
			URI: "../" + r.name + "/" + MediaPlaylistName, LastMSN: r.msn, LastPart: r.part,
		})
	}
}

func segmentTag(g *Segment, parts bool) playlist.Segment {
	t := playlist.Segment{Discontinuity: g.Discontinuity, ProgramDateTime: g.ProgramTime}
	if g.Complete {
		t.URI = SegmentURI(g.MSN)
		t.Duration = g.Duration()
	}
	if !parts && g.Complete {
		return t
	}
	t.Parts = make([]playlist.Part, len(g.Parts))
	for i, part := range g.Parts {
		t.Parts[i] = playlist.Part{URI: part.URI(), Duration: part.Duration, Independent: part.Independent}
	}
	return t
}
