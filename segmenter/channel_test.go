package segmenter

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

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
		if !w.cfg.RecoveryPoints {
			v.promises(w.t)
		}
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
		length = 8 * time.Second
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
