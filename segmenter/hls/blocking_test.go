package hls

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"whipsaw/segmenter"
)

// reload is the URL of a blocking reload.
func (o *origin) reload(msn int64, part int) string {
	if part < 0 {
		return fmt.Sprintf("%smedia.m3u8?_HLS_msn=%d", o.base(), msn)
	}
	return fmt.Sprintf("%smedia.m3u8?_HLS_msn=%d&_HLS_part=%d", o.base(), msn, part)
}

// begin starts requests and lets them get as far as they can.
func (o *origin) begin(urls ...string) []*answer {
	answers := make([]*answer, len(urls))
	for i, url := range urls {
		answers[i] = o.start(o.t.Context(), "GET", url)
	}
	synctest.Wait()
	return answers
}

// playUntil goes on until a condition holds of a rendition.
func (o *origin) playUntil(rendition string, ready func(*segmenter.Snapshot) bool) {
	o.t.Helper()
	for range 1000 {
		if ready(o.snapshot(rendition)) {
			return
		}
		o.play(20 * time.Millisecond)
	}
	o.t.Fatal("it never came")
}

func last(s *segmenter.Snapshot) *segmenter.Segment { return s.Segments[len(s.Segments)-1] }

func TestReloadWaitsForItsPart_6_2_5_2(t *testing.T) {
	bubble(t, Options{}, soundOnly, func(t *testing.T, o *origin) {
		o.play(5 * time.Second)
		next := o.snapshot("audio").Next()
		waits := o.begin(o.reload(next.MSN, next.Index), o.reload(next.MSN, next.Index)+"&_HLS_skip=YES")
		require.False(t, waits[0].finished())
		before := o.snapshot("audio")
		o.playUntil("audio", func(s *segmenter.Snapshot) bool {
			require.Equal(t, s != before, waits[0].finished(), "when something is published, and not earlier")
			return s != before
		})
		for _, a := range waits {
			require.True(t, a.finished())
			p := a.media(t)
			s := p.Segments[len(p.Segments)-1]
			require.Equal(t, next.URI(), s.Parts[len(s.Parts)-1].URI)
			require.Equal(t, "public, max-age=0, s-maxage=12", a.header.Get("Cache-Control"))
		}
	})
}

func TestReloadWaitsForItsSegment_6_2_5_2(t *testing.T) {
	bubble(t, Options{}, soundOnly, func(t *testing.T, o *origin) {
		o.play(5 * time.Second)
		open := last(o.snapshot("audio"))
		require.False(t, open.Complete)
		wait := o.begin(o.reload(open.MSN, -1))[0]
		o.playUntil("audio", func(s *segmenter.Snapshot) bool {
			complete := s.Segment(open.MSN).Complete
			require.Equal(t, complete, wait.finished(), "its parts are not the segment")
			return complete
		})
		p := wait.media(t)
		require.Equal(t, segmenter.SegmentURI(open.MSN), p.Segments[len(p.Segments)-1].URI)
	})
}

func TestReloadOfAPartPastTheSegmentIsPart0OfTheNext_6_2_5_2(t *testing.T) {
	bubble(t, Options{}, soundOnly, func(t *testing.T, o *origin) {
		o.play(5 * time.Second)
		o.playUntil("audio", func(s *segmenter.Snapshot) bool { return last(s).Complete })
		done := last(o.snapshot("audio"))
		wait := o.begin(o.reload(done.MSN, len(done.Parts)+3))[0]
		require.False(t, wait.finished())
		o.playUntil("audio", func(s *segmenter.Snapshot) bool { return last(s).MSN > done.MSN })
		require.True(t, wait.finished())
		p := wait.media(t)
		require.Equal(t, segmenter.PartID{MSN: done.MSN + 1}.URI(), p.Segments[len(p.Segments)-1].Parts[0].URI)
	})
}

func TestReloadThatIsNotSatisfiedIsUnavailable_6_2_5_2(t *testing.T) {
	bubble(t, Options{}, soundOnly, func(t *testing.T, o *origin) {
		o.play(5 * time.Second)
		next, hint := o.snapshot("audio").Next(), o.base()+o.hint().URI()
		o.freeze()
		for _, url := range []string{o.reload(next.MSN, next.Index), o.reload(next.MSN+1, -1), hint} {
			a := o.get(url)
			require.Equal(t, 503, a.status, "never an older playlist")
			require.Equal(t, noStoreText, a.header.Get("Cache-Control"))
			require.Equal(t, "*", a.header.Get("Access-Control-Allow-Origin"))
			require.Equal(t, 6*time.Second, a.took, "three target durations")
		}
	})
}

func TestClientThatLeavesIsLetGo(t *testing.T) {
	bubble(t, Options{}, soundOnly, func(t *testing.T, o *origin) {
		o.play(5 * time.Second)
		next := o.snapshot("audio").Next()
		o.freeze()
		ctx, leave := context.WithCancel(t.Context())
		waits := []*answer{o.start(ctx, "GET", o.reload(next.MSN, next.Index)), o.start(ctx, "GET", o.base()+o.hint().URI())}
		synctest.Wait()
		leave()
		synctest.Wait()
		for _, a := range waits {
			require.True(t, a.finished())
			require.Zero(t, a.took)
			require.NotEqual(t, 200, a.status)
		}
	})
}

func (o *origin) hint() segmenter.PartID {
	o.t.Helper()
	id, ok := o.snapshot("audio").Hint()
	require.True(o.t, ok)
	return id
}

func TestHintedPartComesWhole_6_2_6(t *testing.T) {
	bubble(t, Options{}, soundOnly, func(t *testing.T, o *origin) {
		o.play(5 * time.Second)
		hint := o.hint()
		p := o.get(o.base() + "media.m3u8").media(t)
		require.Equal(t, hint.URI(), p.PreloadHints[0].URI)
		url := o.base() + hint.URI()
		wait := o.begin(url)[0]
		head := o.start(t.Context(), "HEAD", url)
		ranged := o.start(t.Context(), "GET", url, "Range", "bytes=0-9007199254740991")
		o.playUntil("audio", func(s *segmenter.Snapshot) bool {
			require.Equal(t, s.Part(hint) == nil, len(wait.events) == 0, "not one byte before it is whole")
			return s.Part(hint) != nil
		})
		part := o.snapshot("audio").Part(hint)
		require.True(t, wait.finished())
		require.Equal(t, 200, wait.status)
		require.Equal(t, part.Data, wait.body.Bytes())
		require.Equal(t, foreverText, wait.header.Get("Cache-Control"))
		require.True(t, head.finished())
		require.Equal(t, fmt.Sprint(len(part.Data)), head.header.Get("Content-Length"))
		require.True(t, ranged.finished())
		require.Equal(t, 206, ranged.status)
		require.Equal(t, part.Data, ranged.body.Bytes())
	})
}

func TestHintedPartThatNeverComesIsNotFound_6_2_6(t *testing.T) {
	bubble(t, Options{}, soundOnly, func(t *testing.T, o *origin) {
		o.play(5 * time.Second)
		o.playUntil("audio", func(s *segmenter.Snapshot) bool { return len(last(s).Parts) == 3 })
		wait := o.begin(o.base() + o.hint().URI())[0]
		require.False(t, wait.finished())
		o.reg.Close() // no sound has come since the last part, so that no part comes of it
		synctest.Wait()
		require.True(t, wait.finished())
		require.Equal(t, 404, wait.status)
		require.Equal(t, "public, max-age=2", wait.header.Get("Cache-Control"), "all who wait for it may be told by a cache")
	})
}

// waitForHint lets video get to so many parts of a segment, of which ten are the whole, and asks for what is announced then.
func (o *origin) waitForHint(parts int) (hint segmenter.PartID, wait *answer) {
	o.t.Helper()
	o.play(5 * time.Second)
	o.playUntil("video", func(s *segmenter.Snapshot) bool { return last(s).Complete })
	o.playUntil("video", func(s *segmenter.Snapshot) bool { return len(last(s).Parts) == parts && !last(s).Complete })
	hint, ok := o.snapshot("video").Hint()
	require.True(o.t, ok)
	wait = o.begin("/hls/live/" + o.generation().ID() + "/video/" + hint.URI())[0]
	require.False(o.t, wait.finished())
	return hint, wait
}

// An IDR that comes early cuts the segment where a part was to follow, be it of the same size or of another. That part
// comes all the same: players that get an error stop for a while.
func TestHintIsKeptWhereAnIDRComesEarly_6_2_6(t *testing.T) {
	for _, file := range []string{"plain.h264", "other.h264"} {
		bubble(t, Options{}, both, func(t *testing.T, o *origin) {
			hint, wait := o.waitForHint(9)
			o.units = loadUnits(t, file)
			o.jump()
			o.play(100 * time.Millisecond)
			require.True(t, wait.finished())
			require.Equal(t, 200, wait.status)
			video := o.snapshot("video")
			part, segment := video.Part(hint), video.Segment(hint.MSN)
			require.Equal(t, part.Data, wait.body.Bytes())
			require.True(t, part.Independent)
			require.Equal(t, hint.Index, len(segment.Parts)-1, "the segment ends with it")
			next := video.Next()
			require.Equal(t, hint.MSN+1, next.MSN)
			require.Equal(t, file != "plain.h264", next.Epoch > hint.Epoch)
		})
	}
}

// Pictures of another size begin a segment of another epoch at once: where the next segment was announced, it is another.
func TestHintTakenBackIsNotFoundWhileTheStreamGoesOn_6_2_6(t *testing.T) {
	bubble(t, Options{}, both, func(t *testing.T, o *origin) {
		hint, wait := o.waitForHint(10)
		o.units = loadUnits(t, "other.h264")
		o.jump()
		o.play(100 * time.Millisecond)
		require.True(t, wait.finished())
		require.Nil(t, o.snapshot("video").Part(hint))
		require.Equal(t, 404, wait.status)
		require.Equal(t, "public, max-age=2", wait.header.Get("Cache-Control"), "all who wait for it may be told by a cache")
		require.Less(t, wait.took, 100*time.Millisecond)
	})
}

func TestTheEndReleasesAll_6_2_5_2(t *testing.T) {
	bubble(t, Options{}, soundOnly, func(t *testing.T, o *origin) {
		o.play(5 * time.Second)
		open := last(o.snapshot("audio"))
		waits := o.begin(o.reload(open.MSN+1, -1), o.reload(open.MSN+2, 5), o.reload(open.MSN+2, -1))
		for _, a := range waits {
			require.False(t, a.finished())
		}
		o.pub.Close(segmenter.ReasonShutdown)
		o.reg.Close()
		synctest.Wait()
		for _, a := range waits {
			require.True(t, a.finished())
			require.True(t, a.media(t).EndList)
			require.Equal(t, "public, max-age=60", a.header.Get("Cache-Control"))
		}
	})
}

func TestAThousandWaitersGetOnePlaylist(t *testing.T) {
	bubble(t, Options{}, both, func(t *testing.T, o *origin) {
		o.play(5 * time.Second)
		next, hint := o.snapshot("audio").Next(), o.hint()
		var reloads, parts []string
		for range 1000 {
			reloads, parts = append(reloads, o.reload(next.MSN, next.Index)), append(parts, o.base()+hint.URI())
		}
		waits := o.begin(append(reloads, parts...)...)
		o.playUntil("audio", func(s *segmenter.Snapshot) bool { return s.Part(hint) != nil })
		snapshot := o.snapshot("audio")
		for i, a := range waits {
			require.True(t, a.finished())
			require.Equal(t, 200, a.status)
			require.Equal(t, waits[0].took, a.took)
			if i < 1000 {
				require.Equal(t, snapshot.Playlist().Body, a.body.Bytes())
			} else {
				require.Equal(t, snapshot.Part(hint).Data, a.body.Bytes())
			}
		}
	})
}

// Before the first part of a rendition a reload may already wait for it.
func TestReloadBeforeTheFirstPart(t *testing.T) {
	bubble(t, Options{}, soundOnly, func(t *testing.T, o *origin) {
		for o.reg.Lookup("live").Generation() == nil {
			o.sound()
			synctest.Wait()
		}
		require.Empty(t, o.snapshot("audio").Segments)
		a := o.get(o.base() + "media.m3u8")
		require.Equal(t, 404, a.status)
		require.Equal(t, noStoreText, a.header.Get("Cache-Control"))
		waits := o.begin(o.reload(0, 0), o.reload(0, -1))
		require.False(t, waits[0].finished())
		o.playUntil("audio", func(s *segmenter.Snapshot) bool { return len(s.Segments) > 0 })
		require.True(t, waits[0].finished())
		require.Len(t, waits[0].media(t).Segments[0].Parts, 1)
		require.False(t, waits[1].finished())
	})
}
