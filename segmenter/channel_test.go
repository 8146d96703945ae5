package segmenter

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whipsaw/fmp4"
	"whipsaw/segmenter/check"
	"whipsaw/segmenter/depacket"
)

func TestEveryUnitComesOutOnceInOrder(t *testing.T) {
	w := newWorld(t)
	s := w.publish(loadUnits(t, "plain.h264"), 30, true)
	w.run(9 * time.Second)

	video := w.view(Video)
	samples := video.samples(t)
	require.Greater(t, len(samples), 200)
	for i, got := range samples {
		require.Equal(t, s.cam.sent[i].avcc(), got.Data, "access unit %d", i)
		require.Equal(t, s.cam.sent[i].idr, got.Sync)
		require.Zero(t, got.Offset)
	}
	for _, g := range video.segs {
		if g.Complete {
			n := 0
			for _, p := range g.Parts {
				n += partSamples(t, p)
			}
			want := 60
			switch g.MSN {
			case 0, 1:
				want = 24 // short, so that it can be played soon
			case 2:
				want = 12 // up to the publisher's next IDR
			}
			require.Equal(t, want, n, "segment %d", g.MSN)
			require.InDelta(t, float64(want)/30, g.Duration().Seconds(), 0.001)
			require.Equal(t, g.MSN != 1 && g.MSN != 2, g.Parts[0].Independent)
		}
	}
	audio := w.view(Audio)
	require.Zero(t, video.check.BrokenHints()+audio.check.BrokenHints(), "a steady source breaks no hint")
	for i, got := range audio.samples(t) {
		require.Equal(t, opusFrame(uint32(i)), got.Data)
	}
}

func partSamples(t *testing.T, p *Part) int {
	t.Helper()
	v := view{parts: []*Part{p}}
	return len(v.samples(t))
}

// legal checks what every version of every rendition must keep, whatever a publisher does.
func (w *world) legal() {
	w.t.Helper()
	for r, v := range w.views {
		v.samples(w.t)
		for i, p := range v.parts {
			require.LessOrEqual(w.t, p.Duration, w.cfg.Part, "%s part %+v", r.name, p.PartID)
			last := i+1 == len(v.parts) || v.parts[i+1].MSN != p.MSN
			if !last && !v.parts[i+1].Independent || r.name == "audio" && !last {
				require.GreaterOrEqual(w.t, p.Duration, floor(&w.cfg), "%s part %+v", r.name, p.PartID)
			}
		}
		var before *Segment
		for msn := int64(0); v.segs[msn] != nil; msn++ {
			g := v.segs[msn]
			require.NotEmpty(w.t, g.Parts)
			if g.Complete {
				require.LessOrEqual(w.t, int(g.Duration().Seconds()+0.5), w.cfg.TargetDuration(), "%s segment %d", r.name, msn)
			}
			if before != nil {
				require.True(w.t, before.Complete)
				require.False(w.t, g.ProgramTime.Before(before.ProgramTime), "program time goes back")
				require.Equal(w.t, g.Epoch != before.Epoch, g.Discontinuity)
			}
			before = g
		}
	}
	for _, g := range w.gens {
		video, audio := w.views[g.Rendition("video")], w.views[g.Rendition("audio")]
		if video == nil || audio == nil {
			continue
		}
		require.Empty(w.t, check.Agree(video.check, audio.check))
		// A new init is announced a moment before the first part that needs it.
		shown := video.last.Segments[len(video.last.Segments)-1].Init
		if body := g.Multivariant(); body != nil && shown == video.last.newest {
			require.Empty(w.t, check.Multivariant(body.Body, map[string]*check.Checker{
				g.id + "/video/media.m3u8": video.check, g.id + "/audio/media.m3u8": audio.check,
			}))
		}
		for msn, a := range audio.segs {
			if v := video.segs[msn]; v != nil {
				require.Equal(w.t, v.Discontinuity, a.Discontinuity, "segment %d", msn)
				require.Equal(w.t, v.Epoch, a.Epoch, "segment %d", msn)
			}
		}
	}
}

func TestPartsKeepTheFloorAtEveryRate(t *testing.T) {
	units, length := loadUnits(t, "plain.h264"), 40*time.Second
	if testing.Short() {
		length = 15 * time.Second
	}
	for _, fps := range []float64{5, 10, 15, 20, 24, 25, 30000.0 / 1001, 30, 50, 60, 120} {
		for _, jitter := range []time.Duration{0, 10 * time.Millisecond} {
			w := newWorld(t)
			s := w.publish(units, fps, true)
			rnd := rand.New(rand.NewPCG(1, uint64(fps)))
			s.cam.wobble = func() time.Duration {
				if jitter == 0 {
					return 0
				}
				return min(time.Duration(rnd.Int64N(int64(2*jitter)))-jitter, s.cam.frame/3)
			}
			w.run(length)
			w.legal()
			v := w.view(Video)
			require.Greater(t, len(v.segs), int(length/(3*time.Second)), "%v fps", fps)
			drift := v.last.Segments[len(v.last.Segments)-1]
			edge := drift.Start + drift.Duration()
			require.InDelta(t, (w.now - time.Second).Seconds(), edge.Seconds(), 0.5, "%v fps", fps)
		}
	}
}

func TestBFramesAreShownAtTheirTime(t *testing.T) {
	for _, stamped := range []bool{false, true} { // RTP time is presentation time, or decode time
		units := loadUnits(t, "bframes.h264")
		shown := decodeOrderPTS(units)
		for i := range units {
			if !stamped {
				units[i].pts = shown[i]
			}
		}
		w := newWorld(t)
		s := w.publish(units, 30, true)
		w.run(7 * time.Second)
		w.legal()
		end := int64(0)
		reordered := false
		for i, got := range w.view(Video).samples(t) {
			require.Equal(t, s.cam.sent[i].avcc(), got.Data)
			require.InDelta(t, float64(shown[i])*3000, float64(end+int64(got.Offset)), 400, "unit %d", i)
			end += int64(got.Duration)
			reordered = reordered || got.Offset != 0
		}
		require.True(t, reordered)
	}
}

// decodeOrderPTS reads when each unit is shown from its picture order count.
func decodeOrderPTS(units []unit) []int64 {
	d := depacket.NewH264(1 << 20)
	var out []int64
	base := int64(0)
	take := func(u *depacket.AccessUnit) {
		if u.IDR {
			base = int64(len(out))
		}
		out = append(out, base+u.POC/2)
	}
	for i, u := range units {
		for _, p := range payloads(u) {
			if err := d.Push(depacket.Packet{Timestamp: uint32(i), Payload: p}, take); err != nil {
				panic(err)
			}
		}
	}
	d.Flush(take)
	return out
}

func TestLossShowsNothingDamaged(t *testing.T) {
	for _, loss := range []float64{0.002, 0.02, 0.1} {
		w := newWorld(t)
		units := loadUnits(t, "plain.h264")
		s := w.publish(units, 30, true)
		rnd := rand.New(rand.NewPCG(3, 4))
		s.cam.pass = func(int, []byte) bool { return rnd.Float64() >= loss }
		s.mic.pass = func(int) bool { return rnd.Float64() >= loss }
		s.cam.obeys = true
		w.run(30 * time.Second)
		w.legal()
		require.Positive(t, s.cam.plis)
		w.decodable(s.cam.sent)
	}
}

// decodable checks that every picture published is one that was sent, and that between it and its IDR nothing is missing.
func (w *world) decodable(sent []unit) {
	w.t.Helper()
	where := map[string][]int{}
	for i, u := range sent {
		where[string(u.avcc())] = append(where[string(u.avcc())], i)
	}
	expect := -1
	for i, got := range w.view(Video).samples(w.t) {
		at := where[string(got.Data)]
		require.NotEmpty(w.t, at, "picture %d was never sent", i)
		if got.Sync {
			expect = -1
			for _, n := range at {
				expect = max(expect, n)
			}
			continue
		}
		require.Contains(w.t, at, nextOf(at, expect, sent), "picture %d does not follow the one before", i)
		expect = nextOf(at, expect, sent)
	}
}

// nextOf finds which sending of a picture follows one of the sendings of the picture before.
func nextOf(at []int, before int, sent []unit) int {
	for _, n := range at {
		if n == before+1 {
			return n
		}
		// The IDR before may have been sent several times; any of them may be the one.
		if n > 0 && sent[n-1].idr && string(sent[n-1].avcc()) == string(sent[before].avcc()) {
			return n
		}
		if n > 0 && string(sent[n-1].avcc()) == string(sent[before].avcc()) {
			return n
		}
	}
	return -1
}

func TestFreezesArePlayedThrough(t *testing.T) {
	for _, freeze := range []time.Duration{300, 800, 1800, 4500} {
		w := newWorld(t)
		s := w.publish(loadUnits(t, "plain.h264"), 30, true)
		s.cam.obeys = true
		w.at(5500*time.Millisecond, func() { s.cam.hold = freeze * time.Millisecond })
		w.run(20 * time.Second)
		w.legal()
		w.decodable(s.cam.sent)
		require.NotNil(t, w.ch.pub, "freeze of %v ended the publisher", freeze)
		v := w.view(Video)
		last := v.last.Segments[len(v.last.Segments)-1]
		require.InDelta(t, 19.0, (last.Start + last.Duration()).Seconds(), 0.5, "after %v", freeze)
		require.Equal(t, freeze > 1500, w.ch.w.video.filled > 0)
	}
}

func TestPublisherLeavesAndReturns(t *testing.T) {
	w := newWorld(t)
	s := w.publish(loadUnits(t, "plain.h264"), 30, true)
	w.run(6 * time.Second)
	s.stop()
	w.run(14 * time.Second) // silent after five seconds, then the filler
	require.Nil(t, w.ch.pub)
	require.Equal(t, ReasonSilent, s.pub.Reason())
	s2 := w.publish(loadUnits(t, "other.h264"), 30, true)
	w.run(22 * time.Second)
	w.legal()
	require.Len(t, w.gens, 1, "the same generation goes on")
	v := w.view(Video)
	require.Len(t, v.inits, 2)
	breaks := 0
	for _, g := range v.segs {
		if g.Discontinuity {
			breaks++
			require.Equal(t, 1, g.Init)
		}
	}
	require.Equal(t, 1, breaks)
	samples := v.samples(t)
	tail := samples[len(samples)-100:]
	require.Equal(t, s2.cam.sent[len(s2.cam.sent)-1-lag(s2, tail)].avcc(), tail[99].Data)
	last := v.last.Segments[len(v.last.Segments)-1]
	require.InDelta(t, 21.0, (last.Start + last.Duration()).Seconds(), 0.5)

	s2.stop()
	s2.pub.finish(ReasonDeleted)
	w.ch.detach(w.now, ReasonDeleted)
	w.run(26 * time.Second)
	require.True(t, w.gens[0].over(), "a goodbye ends the generation after its grace")
	require.True(t, w.view(Video).last.Ended)
	w.publish(loadUnits(t, "plain.h264"), 30, true)
	w.run(30 * time.Second)
	require.Len(t, w.gens, 2)
	w.legal()
}

// lag is how many units were sent after the last one published.
func lag(s *studio, tail []fmp4.FragmentSample) int {
	last := string(tail[len(tail)-1].Data)
	for i := range s.cam.sent {
		if string(s.cam.sent[len(s.cam.sent)-1-i].avcc()) == last {
			return i
		}
	}
	return 0
}

func TestParameterChangeInMidStream(t *testing.T) {
	w := newWorld(t)
	s := w.publish(loadUnits(t, "plain.h264"), 30, true)
	other := loadUnits(t, "other.h264")
	w.at(6*time.Second+10*time.Millisecond, func() { s.cam.units, s.cam.next = other, 0 })
	w.run(12 * time.Second)
	w.legal()
	v := w.view(Video)
	require.Len(t, v.inits, 2)
	for i, got := range v.samples(t) {
		require.Equal(t, s.cam.sent[i].avcc(), got.Data, "access unit %d", i)
	}
	body := string(v.last.Playlist().Body)
	require.Contains(t, body, "#EXT-X-DISCONTINUITY\n")
	require.Contains(t, body, `URI="init-1.mp4"`)
}

func TestDeafPublisherIsCutByForce(t *testing.T) {
	units := loadUnits(t, "plain.h264")
	var long []unit
	for i := 0; i < 8; i++ { // one IDR, then pictures for ever
		for j, u := range units[:60] {
			if !u.idr || i == 0 && j == 0 {
				u.pts = int64(len(long))
				long = append(long, u)
			}
		}
	}
	w := newWorld(t)
	s := w.publish(long, 30, true)
	w.run(15 * time.Second)
	w.legal()
	v := w.view(Video)
	require.GreaterOrEqual(t, len(v.segs), 6)
	require.False(t, v.segs[1].Parts[0].Independent)
	require.Positive(t, s.cam.plis)
	require.Less(t, s.cam.plis, 8, "a deaf publisher is not nagged")
}

func TestAudioOnlyAndVideoOnly(t *testing.T) {
	w := newWorld(t)
	w.publish(nil, 0, true)
	w.run(10 * time.Second)
	w.legal()
	a := w.view(Audio)
	require.Equal(t, 2*time.Second, a.segs[openings].Duration())
	for i, p := range a.segs[openings].Parts {
		require.Equal(t, 200*time.Millisecond, p.Duration, "part %d: none is very short", i)
	}
	require.NotNil(t, w.gens[0].Multivariant())
	require.Nil(t, w.gens[0].Rendition("video"))

	w = newWorld(t)
	w.publish(loadUnits(t, "plain.h264"), 30, false)
	w.run(10 * time.Second)
	w.legal()
	require.Contains(t, string(w.gens[0].Multivariant().Body), `CODECS="avc1.42`)
}

func TestDeadAudioBecomesSilence(t *testing.T) {
	w := newWorld(t)
	s := w.publish(loadUnits(t, "plain.h264"), 30, true)
	w.at(5*time.Second, func() { s.mic.stop = true })
	w.run(15 * time.Second)
	w.legal()
	v, a := w.view(Video), w.view(Audio)
	lv, la := v.last.Segments[len(v.last.Segments)-1], a.last.Segments[len(a.last.Segments)-1]
	require.InDelta(t, (lv.Start + lv.Duration()).Seconds(), (la.Start + la.Duration()).Seconds(), 0.7)
}

func TestNothingUsableEndsThePublisher(t *testing.T) {
	units := loadUnits(t, "plain.h264")
	var bare []unit
	for _, u := range units {
		var n [][]byte
		for _, x := range u.nalus {
			if k := x[0] & 31; k != 7 && k != 8 {
				n = append(n, x)
			}
		}
		bare = append(bare, unit{nalus: n, idr: u.idr, pts: u.pts})
	}
	blind := slices.Clone(units[1:60]) // parameter sets, but never an IDR
	blind[0].nalus = append(slices.Clone(units[0].nalus[:3]), blind[0].nalus[1:]...)
	for _, c := range []struct {
		units []unit
		want  Reason
	}{{bare, ReasonNoParameters}, {blind, ReasonNoRandomAccess}} {
		for i := range c.units {
			c.units[i].pts = int64(i)
		}
		w := newWorld(t)
		s := w.publish(c.units, 30, true)
		w.run(18 * time.Second)
		require.Equal(t, c.want, s.pub.Reason())
		require.Empty(t, w.gens)
	}
}

func TestLateTracksAreBackfilled(t *testing.T) {
	for _, late := range []Kind{Audio, Video} {
		w := newWorld(t)
		s := w.publish(loadUnits(t, "plain.h264"), 30, true)
		s.cam.obeys = true
		s.cam.pass = func(int, []byte) bool { return late == Audio || w.now > 9*time.Second }
		s.mic.pass = func(int) bool { return late == Video || w.now > 9*time.Second }
		w.run(8 * time.Second)
		require.Nil(t, w.gens[0].Rendition(late.String()), "the generation goes live with the track that came")
		w.run(16 * time.Second)
		w.legal()
		require.Len(t, w.gens, 1)
		v, a := w.view(Video).last, w.view(Audio).last
		require.Equal(t, v.Segments[0].MSN, a.Segments[0].MSN)
		require.Equal(t, v.First, a.First)
		lv, la := v.Segments[len(v.Segments)-1], a.Segments[len(a.Segments)-1]
		require.InDelta(t, (lv.Start + lv.Duration()).Seconds(), (la.Start + la.Duration()).Seconds(), 0.5)
		require.Contains(t, string(w.gens[0].Multivariant().Body), `CODECS="avc1.42c00b,Opus"`)
	}
}

func TestAPublisherBringsAnotherTrack(t *testing.T) {
	w := newWorld(t)
	s := w.publish(nil, 0, true)
	w.run(6 * time.Second)
	s.stop()
	w.ch.detach(w.now, ReasonPeerClosed)
	w.publish(loadUnits(t, "plain.h264"), 30, true)
	w.run(12 * time.Second)
	w.legal()
	require.Len(t, w.gens, 1, "the generation goes on with the new track")
	require.NotNil(t, w.gens[0].Rendition("video"))
}
