package publish

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"whipsaw/cmd/whipsaw/internal/demo"
	"whipsaw/fmp4"
)

// pictures makes a track of n pictures at 30 frames a second with a sync sample every gop.
func pictures(n, gop int) *fmp4.Track {
	t := &fmp4.Track{Timescale: 90000}
	for i := range n {
		at := int64(3000 * i)
		t.Samples = append(t.Samples, fmp4.MediaSample{DTS: at, PTS: at, Duration: 3000, Size: 1, Sync: i%gop == 0})
	}
	return t
}

// sounds makes a track of n packets of 20 ms, the first at a time in ticks of 48 kHz.
func sounds(n int, first int64) *fmp4.Track {
	t := &fmp4.Track{Timescale: 48000}
	for i := range n {
		at := first + int64(960*i)
		t.Samples = append(t.Samples, fmp4.MediaSample{DTS: at, PTS: at, Duration: 960, Size: 1, Sync: true})
	}
	return t
}

// take returns the next n units, or fewer at the end.
func take(p *playhead, n int) (out []unit) {
	for range n {
		u, ok := p.next()
		if !ok {
			break
		}
		out = append(out, u)
	}
	return out
}

func split(units []unit) (video, audio []unit) {
	for _, u := range units {
		if u.video {
			video = append(video, u)
		} else {
			audio = append(audio, u)
		}
	}
	return video, audio
}

func TestPlayheadMergesByTime(t *testing.T) {
	all := take(newPlayhead(pictures(60, 30), sounds(100, 0), false), 1000)
	require.Len(t, all, 160)
	for i, u := range all[1:] {
		require.GreaterOrEqual(t, u.due, all[i].due)
	}
	video, audio := split(all)
	require.Equal(t, time.Second, video[30].due)
	require.True(t, video[30].sync)
	require.False(t, video[31].sync)
	require.Equal(t, time.Second, audio[50].due)
}

// What begins before 0, as Opus does by its pre-skip, moves both tracks alike.
func TestPlayheadBeginsWithTheEarliest(t *testing.T) {
	all := take(newPlayhead(pictures(30, 30), sounds(50, -312), false), 10)
	require.False(t, all[0].video)
	require.Zero(t, all[0].due)
	video, _ := split(all)
	require.Equal(t, 6500*time.Microsecond, video[0].due)
}

// Pictures that cannot be decoded are not sent, nor the sound before the first that can.
func TestPlayheadBeginsWithSyncSample(t *testing.T) {
	v := pictures(60, 30)
	v.Samples[0].Sync = false
	video, audio := split(take(newPlayhead(v, sounds(100, 0), false), 1000))
	require.Equal(t, 30, video[0].index)
	require.Equal(t, 50, audio[0].index)
	require.Zero(t, video[0].due)
}

func TestPlayheadPresentationTimes(t *testing.T) {
	v := pictures(4, 4)
	for i, pts := range []int64{2, 4, 3, 5} {
		v.Samples[i].PTS = 3000 * pts
	}
	video := take(newPlayhead(v, nil, false), 10)
	frame := func(n int) time.Duration { return time.Duration(n) * time.Second / 30 }
	for i, want := range []int{2, 4, 3, 5} {
		require.InDelta(t, frame(i), video[i].due, 1)
		require.InDelta(t, frame(want), video[i].pts, 1)
	}
}

// The seam of the built-in clip is none: both tracks go on as if the file had no end.
func TestPlayheadLoopsWithoutSeam(t *testing.T) {
	m, err := Open(demo.Clip())
	require.NoError(t, err)
	video, audio := split(take(newPlayhead(m.video, m.audio, true), 5000))
	require.Greater(t, len(video), 1800)
	for i, u := range video {
		require.Equal(t, i%300, u.index)
		require.InDelta(t, video[0].due+time.Duration(i)*time.Second/30, u.due, 10)
	}
	for i, u := range audio {
		require.Equal(t, time.Duration(i)*20*time.Millisecond, u.due)
		want := i
		if i > 0 {
			want = (i-1)%500 + 1 // the packet at ten seconds stands in the place of the first
		}
		require.Equal(t, want, u.index)
	}
}

// Where the tracks have different lengths the sound stays at its place, to half a packet, and contiguous.
func TestPlayheadLoopKeepsSoundInPlace(t *testing.T) {
	for _, n := range []int{70, 100, 103, 130} { // packets for two seconds of picture
		p := newPlayhead(pictures(60, 30), sounds(n, 0), true)
		video, audio := split(take(p, 3000))
		for i, u := range video {
			require.InDelta(t, time.Duration(i)*time.Second/30, u.due, 50)
		}
		for i, u := range audio[1:] {
			step := u.due - audio[i].due
			if u.index == 0 && n < 100 {
				continue // nothing sounds in the rest of each round
			}
			require.InDelta(t, 20*time.Millisecond, step, 10, "%d packets: %d after %d", n, u.index, audio[i].index)
		}
		for _, u := range audio {
			away := (u.due - time.Duration(u.index)*20*time.Millisecond) % (2 * time.Second)
			require.LessOrEqual(t, min(away.Abs(), (away-2*time.Second).Abs()), 10*time.Millisecond)
		}
	}
}

func TestPlayheadSoundAlone(t *testing.T) {
	all := take(newPlayhead(nil, sounds(50, -312), true), 175)
	require.Len(t, all, 175)
	for i, u := range all {
		require.Equal(t, i%50, u.index)
		require.Equal(t, time.Duration(i)*20*time.Millisecond, u.due)
	}
	require.Len(t, take(newPlayhead(nil, sounds(50, 0), false), 100), 50)
}

func TestKeyframeStepsBack(t *testing.T) {
	p := newPlayhead(pictures(240, 240), sounds(400, 0), false)
	before := take(p, 80) // about a second
	video, audio := split(before)
	require.True(t, p.keyframe())
	after := take(p, 1000)
	again, sound := split(after)

	require.True(t, again[0].sync)
	require.Equal(t, 0, again[0].index, "back to where the group began")
	require.InDelta(t, video[len(video)-1].due+time.Second/30, again[0].due, 10, "time goes on")
	require.Len(t, again, 240, "nothing is left out")
	last := audio[len(audio)-1]
	for _, u := range sound {
		require.Equal(t, last.due+20*time.Millisecond, u.due, "sound goes on without a hole")
		last = u
	}
	for _, u := range sound {
		if u.index == 3 {
			require.InDelta(t, again[0].due+60*time.Millisecond, u.due, float64(10*time.Millisecond), "sound stepped back as well")
			break
		}
	}
}

func TestKeyframeNotObeyed(t *testing.T) {
	upTo := func(picture int) *playhead {
		p := newPlayhead(pictures(600, 120), nil, false)
		take(p, picture)
		return p
	}
	t.Run("one was just sent", func(t *testing.T) { require.False(t, upTo(3).keyframe()) })
	t.Run("one was sent a moment ago", func(t *testing.T) { require.True(t, upTo(10).keyframe()) })
	t.Run("one comes soon", func(t *testing.T) { require.False(t, upTo(61).keyframe()) })
	t.Run("a group is repeated once only", func(t *testing.T) {
		p := upTo(30)
		require.True(t, p.keyframe())
		take(p, 30)
		require.False(t, p.keyframe())
		take(p, 120) // in the next group
		require.True(t, p.keyframe())
	})
	t.Run("at the end", func(t *testing.T) { require.False(t, upTo(600).keyframe()) })
	t.Run("no picture at all", func(t *testing.T) { require.False(t, newPlayhead(nil, sounds(9, 0), true).keyframe()) })
}

// A repeated IDR is shown after all that was shown before, also where pictures are reordered.
func TestKeyframeWithReordering(t *testing.T) {
	v := pictures(240, 120)
	for i := range v.Samples {
		v.Samples[i].PTS += 2 * 3000
		if i%120 > 0 && i%2 == 1 {
			v.Samples[i].PTS += 4 * 3000
		}
	}
	p := newPlayhead(v, nil, false)
	latest := time.Duration(0)
	for _, u := range take(p, 20) {
		latest = max(latest, u.pts)
	}
	require.True(t, p.keyframe())
	require.Greater(t, take(p, 1)[0].pts, latest)
}

func TestSkip(t *testing.T) {
	p := newPlayhead(pictures(60, 30), sounds(100, 0), false)
	take(p, 10)
	due := p.video.due()
	p.skip(time.Second)
	require.Equal(t, due+time.Second, p.video.due())
	video, audio := split(take(p, 20))
	require.Less(t, (video[0].due - audio[0].due).Abs(), 40*time.Millisecond)
}

func TestResumeBeginsWithKeyframe(t *testing.T) {
	p := newPlayhead(pictures(120, 60), sounds(200, 0), false)
	take(p, 200)
	p.resume()
	video, _ := split(take(p, 5))
	require.Equal(t, 60, video[0].index)
}

// Whatever is asked for whenever, time goes on, sound is contiguous and in its place, and each picture comes out.
func TestPlayheadRapid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		gop := rapid.IntRange(1, 200).Draw(t, "gop")
		n := rapid.IntRange(gop, 400).Draw(t, "pictures")
		p := newPlayhead(pictures(n, gop), sounds(n*5/3+2+rapid.IntRange(0, 9).Draw(t, "more"), -312), rapid.Bool().Draw(t, "loop"))
		var lastVideo, lastAudio *unit
		inFile := time.Duration(0) // file time to time line, by the last picture
		for range rapid.IntRange(1, 1500).Draw(t, "units") {
			if rapid.IntRange(0, 20).Draw(t, "asked") == 0 {
				p.keyframe()
			}
			u, ok := p.next()
			if !ok {
				break
			}
			if u.video {
				inFile = u.due - time.Duration(u.index)*time.Second/30
				if lastVideo != nil {
					require.InDelta(t, lastVideo.due+time.Second/30, u.due, 1000)
					require.True(t, u.index == lastVideo.index+1 || u.sync && u.index <= lastVideo.index)
				}
				lastVideo = &u
				continue
			}
			if lastAudio != nil {
				require.InDelta(t, lastAudio.due+20*time.Millisecond, u.due, 1000)
				if u.index != lastAudio.index+1 && lastVideo != nil {
					away := u.due - inFile - time.Duration(u.index)*20*time.Millisecond
					require.LessOrEqual(t, away.Abs(), 17*time.Millisecond) // half a packet, and the pre-skip
				}
			}
			lastAudio = &u
		}
	})
}
