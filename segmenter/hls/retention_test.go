package hls

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"whipsaw/segmenter"
	"whipsaw/segmenter/playlist"
)

// lifetimes is how long each URI has to be there, by what playlists have shown.
type lifetimes struct {
	until map[string]time.Time
	first map[string]time.Time // when a segment was first listed
}

func (l *lifetimes) see(now time.Time, p *playlist.MediaPlaylist) (length time.Duration) {
	for _, s := range p.Segments {
		length += s.Duration
	}
	for _, s := range p.Segments {
		if s.Map != nil {
			l.until[s.Map.URI] = now
		}
		for _, part := range s.Parts {
			// 6.2.2: parts stay three target durations after their tags have left.
			l.until[part.URI] = now.Add(3 * time.Duration(p.TargetDuration) * time.Second)
		}
		if s.Open() {
			continue
		}
		if _, ok := l.first[s.URI]; !ok {
			l.first[s.URI] = now
		}
		// 6.2.2: a segment stays for its own duration and that of the longest playlist that held it, and while it is listed.
		if end := l.first[s.URI].Add(s.Duration + length); end.After(l.until[s.URI]) {
			l.until[s.URI] = end
		}
		if now.After(l.until[s.URI]) {
			l.until[s.URI] = now
		}
	}
	return length
}

// What has been listed stays as long as a player may still ask for it, and no longer than that by much.
func TestRetention_6_2_2(t *testing.T) {
	bubble(t, Options{}, soundOnly, func(t *testing.T, o *origin) {
		o.play(3 * time.Second)
		l := lifetimes{until: map[string]time.Time{}, first: map[string]time.Time{}}
		for range 200 {
			o.play(500 * time.Millisecond)
			p := o.get(o.base() + "media.m3u8").media(t)
			length := l.see(time.Now(), &p)
			if p.MediaSequence > 0 {
				require.GreaterOrEqual(t, length, 3*time.Duration(p.TargetDuration)*time.Second, "6.2.2: what is left")
			}
			for uri, until := range l.until {
				status := o.do("HEAD", o.base()+uri).status
				switch {
				case !time.Now().After(until):
					require.Equal(t, 200, status, "%s has to be there until %v", uri, until)
				case time.Since(until) > 40*time.Second:
					require.Equal(t, 404, status, uri)
				}
			}
		}
		require.Greater(t, len(l.until), 500)
	})
}

// 6.2.5.2: how long a request is kept waiting follows from the target duration; so does how long answers may be kept.
func TestPatienceAndLifetimesFollowTheTargetDuration(t *testing.T) {
	for target, want := range map[time.Duration]struct {
		patience                           time.Duration
		polled, blocking, expired, forever string
	}{
		1 * time.Second:         {3 * time.Second, "public, max-age=0", "public, max-age=0, s-maxage=6", "public, max-age=1", foreverText},
		1500 * time.Millisecond: {6 * time.Second, "public, max-age=1", "public, max-age=0, s-maxage=12", "public, max-age=2", foreverText},
		2 * time.Second:         {6 * time.Second, "public, max-age=1", "public, max-age=0, s-maxage=12", "public, max-age=2", foreverText},
		5 * time.Second:         {15 * time.Second, "public, max-age=2", "public, max-age=0, s-maxage=30", "public, max-age=5", foreverText},
	} {
		synctest.Test(t, func(t *testing.T) {
			o := newOrigin(t, Options{}, func(c *segmenter.Config) {
				own := c.StreamConfig
				own.Segment = target
				c.Stream = func(string) segmenter.StreamConfig { return own }
			}, soundOnly...)
			defer o.reg.Close()
			o.play(14 * target)
			o.playUntil("audio", func(s *segmenter.Snapshot) bool { return !last(s).Complete })
			next := o.snapshot("audio").Next()
			require.Equal(t, want.polled, o.get(o.base()+"media.m3u8").header.Get("Cache-Control"), target)
			require.Equal(t, want.polled, o.get(o.base()+"media.m3u8?_HLS_skip=YES").header.Get("Cache-Control"), target)
			require.Equal(t, want.blocking, o.get(o.reload(next.MSN, next.Index-1)).header.Get("Cache-Control"), target)
			require.Equal(t, want.expired, o.get(o.base()+fmt.Sprintf("part-0-%d-99.m4s", next.MSN-1)).header.Get("Cache-Control"), target)
			for _, media := range []string{"init-0.mp4", segmenter.SegmentURI(next.MSN - 1), segmenter.PartID{MSN: next.MSN - 1}.URI()} {
				require.Equal(t, want.forever, o.get(o.base()+media).header.Get("Cache-Control"), media)
			}
			require.Equal(t, "public, max-age=1", o.get("/hls/live/index.m3u8").header.Get("Cache-Control"))
			o.freeze()
			a := o.get(o.reload(next.MSN, next.Index+5))
			require.Equal(t, 503, a.status, target)
			require.Equal(t, want.patience, a.took, target)
		})
	}
}
