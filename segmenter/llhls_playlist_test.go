package segmenter

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whipsaw/fmp4"
	"whipsaw/segmenter/check"
	"whipsaw/segmenter/playlist"
)

// versions lets the world go on until a moment and shows every version of a rendition as it is made.
func (w *world) versions(until time.Duration, show func(r *Rendition, s *Snapshot)) {
	seen := map[*Rendition]*Snapshot{}
	for w.now < until {
		w.run(min(until, w.now+5*time.Millisecond))
		for r, v := range w.views {
			if v.last != seen[r] && len(v.last.Segments) > 0 {
				seen[r] = v.last
				show(r, v.last)
			}
		}
	}
}

// What is announced comes from the settings and never changes: not with the publisher, its pictures nor its keyframes.
func TestHeaderNeverChanges_6_2_1(t *testing.T) {
	const header = `#EXTM3U
#EXT-X-VERSION:9
#EXT-X-TARGETDURATION:2
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=0.666000,HOLD-BACK=6.000000,CAN-SKIP-UNTIL=12.000000
#EXT-X-PART-INF:PART-TARGET=0.222000
#EXT-X-MEDIA-SEQUENCE:`
	w := newWorld(t)
	versions := 0
	look := func(_ *Rendition, s *Snapshot) {
		versions++
		for _, form := range []*Rendered{s.Playlist(), s.Delta()} {
			body := string(form.Body)
			require.True(t, strings.HasPrefix(body, header), body)
			// 4.4.3.5: a playlist with a type could not lose segments; 4.4.2.1: a forced cut has no IDR to begin with.
			require.NotContains(t, body, "#EXT-X-PLAYLIST-TYPE")
			require.NotContains(t, body, "#EXT-X-INDEPENDENT-SEGMENTS")
			require.NotContains(t, body, "GAP")
		}
	}
	s := w.publish(loadUnits(t, "plain.h264"), 30, true)
	w.versions(7*time.Second, look)
	s.stop()
	w.versions(14*time.Second, look)
	long := loadUnits(t, "other.h264") // another size and rate, and one keyframe alone
	for i := range long {
		long[i].idr = long[i].idr && i == 0
	}
	w.publish(long, 15, true)
	w.versions(25*time.Second, look)
	require.Greater(t, versions, 150)
	require.Len(t, w.view(Video).inits, 2)
}

// 4.4.4.9: every IDR begins a part with INDEPENDENT=YES, whenever it comes, and no other part has that.
func TestEveryIDRBeginsAPart_4_4_4_9(t *testing.T) {
	w := newWorld(t)
	s := w.publish(loadUnits(t, "plain.h264"), 30, true)
	for i := range 9 { // at moments that are spread over segments and parts
		w.at(4*time.Second+time.Duration(i)*1310*time.Millisecond, func() { s.cam.idr = true })
	}
	w.run(17 * time.Second)
	w.legal()
	within, short := 0, 0
	v := w.view(Video)
	for i, p := range v.parts {
		fragments, err := fmp4.ParseParts(p.Data)
		require.NoError(t, err)
		for n, sample := range fragments[0].Samples {
			require.Equal(t, n == 0 && p.Independent, sample.Sync, "part %+v, sample %d", p.PartID, n)
		}
		if p.Independent && p.Index > 0 {
			within++
			if v.parts[i-1].Duration < floor(&w.cfg) {
				short++
			}
		}
	}
	require.Greater(t, within, 3, "IDRs came in the middle of segments")
	require.Positive(t, short, "and in the middle of parts")
}

// 6.2.2: the next part is there within PART-TARGET and a frame, the next segment within one and a half target durations,
// as long as pictures come, and while filler stands in for them.
func TestPartsComeInTime_6_2_2(t *testing.T) {
	for _, fps := range []float64{15, 24, 29.97, 60} {
		w := newWorld(t)
		s := w.publish(loadUnits(t, "plain.h264"), fps, true)
		w.at(8*time.Second, s.stop)
		w.run(20 * time.Second) // filler from 9.5 s on
		frame := time.Duration(float64(time.Second) / fps)
		for k, v := range map[Kind]*view{Video: w.view(Video), Audio: w.view(Audio)} {
			last := map[string]time.Time{}
			for _, p := range v.parts {
				at := p.Published.Sub(w.base)
				still := at > 8*time.Second && at < 10*time.Second+500*time.Millisecond // a freeze is noticed and filled
				late := frame
				if at > 10*time.Second {
					late = 25 * time.Millisecond // a frame of sound, and the ticks of a clock that counts milliseconds
				}
				if before, ok := last["part"]; ok && !still {
					require.LessOrEqual(t, p.Published.Sub(before), w.cfg.Part+late, "%v at %v fps, part %+v", k, fps, p.PartID)
				}
				last["part"] = p.Published
				if p.Index == 0 {
					if before, ok := last["segment"]; ok && !still {
						require.LessOrEqual(t, p.Published.Sub(before), time.Duration(w.cfg.TargetDuration())*time.Second*3/2)
					}
					last["segment"] = p.Published
					if still {
						delete(last, "segment")
					}
				}
			}
			require.Greater(t, len(v.parts), 60)
		}
	}
}

// 4.4.5.3: as long as a stream is live its next part is hinted at, with the map that it needs; while filler stands in for
// the publisher no picture is promised, since what comes next is not known, nor where one of the first segments may end.
func TestHints_4_4_5_3(t *testing.T) {
	w := newWorld(t)
	s := w.publish(loadUnits(t, "plain.h264"), 30, true)
	hinted := func(from, to time.Duration) (with, without int) {
		w.versions(to, func(r *Rendition, s *Snapshot) {
			if r.name == "audio" {
				return
			}
			id, ok := s.Hint()
			p, err := playlist.ParseMedia(s.Playlist().Body)
			require.NoError(t, err)
			if !ok {
				require.Empty(t, p.PreloadHints)
				if len(s.Segments) > openings+1 {
					without++
				}
				return
			}
			require.Equal(t, playlist.PreloadHint{Type: playlist.HintPart, URI: id.URI()}, p.PreloadHints[len(p.PreloadHints)-1])
			require.Nil(t, s.Part(id), "a hint is not for what is there")
			with++
		})
		return with, without
	}
	with, without := hinted(0, 6*time.Second)
	require.Zero(t, without, "live")
	require.Greater(t, with, 15)
	s.stop()
	w.run(9 * time.Second)
	with, without = hinted(9*time.Second, 12*time.Second)
	require.Zero(t, with, "filler")
	require.Greater(t, without, 10)
	w.publish(loadUnits(t, "other.h264"), 30, true)
	w.run(13 * time.Second)
	with, without = hinted(13*time.Second, 16*time.Second)
	require.LessOrEqual(t, without, 2, "live again, after a new map; its second IDR is not foreseen")
	require.Greater(t, with, 10)
	require.Positive(t, w.view(Video).check.Tally()[check.Hint].Seen)
	w.ch.pub.finish(ReasonDeleted)
	w.ch.detach(w.now, ReasonDeleted)
	w.run(22 * time.Second)
	require.True(t, w.view(Video).last.Ended)
	require.NotContains(t, string(w.view(Video).last.Playlist().Body), "PRELOAD-HINT")
}

// 4.4.5.4: each rendition tells how far the other is, by a relative URI, true to a part.
func TestRenditionReports_4_4_5_4(t *testing.T) {
	w := newWorld(t)
	w.publish(loadUnits(t, "plain.h264"), 30, true)
	reports := 0
	position := func(s *Snapshot, msn int64, part int) (n int) {
		for _, g := range s.Segments {
			if g.MSN < msn {
				n += len(g.Parts)
			}
		}
		return n + part
	}
	w.versions(12*time.Second, func(r *Rendition, s *Snapshot) {
		other, name := w.view(Audio), "audio"
		if r.name == "audio" {
			other, name = w.view(Video), "video"
		}
		p, err := playlist.ParseMedia(s.Playlist().Body)
		require.NoError(t, err)
		require.Len(t, p.RenditionReports, 1)
		report := p.RenditionReports[0]
		require.Equal(t, "../"+name+"/media.m3u8", report.URI)
		if other == nil || other.last == nil || len(other.last.Segments) == 0 || report.LastPart == playlist.NoPart {
			return
		}
		last := other.last.Segments[len(other.last.Segments)-1]
		off := position(other.last, last.MSN, len(last.Parts)-1) - position(other.last, report.LastMSN, report.LastPart)
		require.True(t, off >= 0 && off <= 1, "%s says segment %d part %d of %s, whose last is %d part %d",
			r.name, report.LastMSN, report.LastPart, name, last.MSN, len(last.Parts)-1)
		reports++
	})
	require.Greater(t, reports, 80)
}

// 4.4.4.9: EXT-X-PART tags stand within three target durations of the end, by whole segments, and no further back.
func TestPartTagsLeave_4_4_4_9(t *testing.T) {
	w := newWorld(t)
	w.publish(loadUnits(t, "plain.h264"), 30, true)
	left := 0
	w.versions(16*time.Second, func(_ *Rendition, s *Snapshot) {
		p, err := playlist.ParseMedia(s.Playlist().Body)
		require.NoError(t, err)
		behind := time.Duration(0)
		for i := len(p.Segments) - 1; i >= 0; i-- {
			g := s.Segment(p.MediaSequence + int64(i))
			require.Equal(t, behind < 6*time.Second, len(p.Segments[i].Parts) > 0, "segment %d, %v from the end", g.MSN, behind)
			if len(p.Segments[i].Parts) == 0 {
				left++
				require.NotNil(t, s.Part(g.Parts[0].PartID), "what the tags named is still there")
			} else {
				require.Len(t, p.Segments[i].Parts, len(g.Parts))
			}
			behind += g.Duration()
		}
	})
	require.Greater(t, left, 100)
}

// 6.2.5.1: a window that is set shorter than the skip boundary would leave nothing to skip, so it is not; a playlist that
// is still short is sent in full.
func TestWindowIsNeverShorterThanTheSkipBoundary_6_2_5_1(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Window = 0 })
	w.publish(loadUnits(t, "plain.h264"), 30, true)
	deltas := 0
	w.versions(30*time.Second, func(_ *Rendition, s *Snapshot) {
		p, err := playlist.ParseMedia(s.Playlist().Body)
		require.NoError(t, err)
		length := time.Duration(0)
		for _, g := range s.Segments[s.First:] {
			length += g.Duration()
		}
		if s.First > 0 { // something has been removed
			require.GreaterOrEqual(t, length, p.ServerControl.CanSkipUntil)
		}
		if length <= p.ServerControl.CanSkipUntil {
			require.Same(t, s.Playlist(), s.Delta())
			return
		}
		deltas++
	})
	require.Positive(t, deltas)
}

// Opus in ISOBMFF 4.3.2: the channels are what the publisher declared.
func TestChannelsOfTheSound(t *testing.T) {
	for _, channels := range []int{1, 2} {
		w := newWorld(t)
		s := &studio{mic: &microphone{w: w, began: w.now}}
		s.mic.track = func() *Track { return s.pub.Track(Audio) }
		pub, err := newPublisher(nil, PublisherConfig{Session: "test", Tracks: []TrackConfig{
			{Kind: Audio, Channels: channels}, {Kind: Video, PLI: func() {}},
		}})
		require.NoError(t, err)
		s.pub = pub
		require.NoError(t, w.ch.attach(w.now, pub))
		s.cam = &camera{w: w, units: loadUnits(t, "plain.h264"), frame: time.Second / 30, began: w.now, track: func() *Track { return pub.Track(Video) }}
		w.at(w.now, s.mic.send)
		w.at(w.now, s.cam.send)
		w.run(6 * time.Second)
		init, err := fmp4.ParseInit(w.view(Audio).inits[0])
		require.NoError(t, err)
		require.Equal(t, channels, init.Channels)
		require.Equal(t, string(rune('0'+channels)), w.index().Media[0].Channels)
	}
}
