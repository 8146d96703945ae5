package fleet

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"whipsaw/cmd/whipsaw/internal/bench/clip"
	"whipsaw/cmd/whipsaw/internal/bench/mark"
	"whipsaw/cmd/whipsaw/internal/demo"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func demoClip(t *testing.T) *clip.Clip {
	t.Helper()
	c, err := clip.Open(demo.Clip())
	require.NoError(t, err)
	return c
}

func TestAddress(t *testing.T) {
	require.Equal(t, "http://h/whip/b7", Address("http://h/whip/b{n}", 7))
	require.Equal(t, "http://h/7/7", Address("http://h/{n}/{n}", 7))
	require.Equal(t, "http://h/x", Address("http://h/x", 7))
}

// A clip goes on at its end without a seam, its sound on a round of its own.
func TestSchedule(t *testing.T) {
	c := demoClip(t)
	s := newShip(c, 0, 0)
	for i := range 3 * len(c.Video) {
		require.InDelta(t, float64(i)/30, s.videoDue(i).Seconds(), 1e-6)
	}
	for i := range 3 * len(c.Audio) {
		require.InDelta(t, float64(i)*0.02, s.audioDue(i).Seconds(), 1e-6)
	}
	quiet := newShip(&clip.Clip{Video: c.Video, VideoTicks: c.VideoTicks}, 0, 0)
	require.Greater(t, quiet.audioDue(0), quiet.videoDue(1<<20), "without sound it is never due")
}

func TestSent(t *testing.T) {
	f := &Fleet{ships: []*ship{newShip(demoClip(t), 0, 0), newShip(demoClip(t), 1, 0)}}
	l := &f.ships[1].video
	at := time.Unix(1000, 0)
	for i := range logLength + 10 {
		l.note(at.Add(time.Duration(i) * 33 * time.Millisecond))
	}
	ask := func(m mark.Mark) (time.Time, bool) { return f.Sent(m) }
	of := func(frame int) mark.Mark {
		return mark.Mark{Publisher: 1, Frame: uint32(frame), Video: true, Sent: at.Add(time.Duration(frame)*33*time.Millisecond - 2*time.Millisecond)}
	}
	got, ok := ask(of(logLength + 5))
	require.True(t, ok)
	require.Equal(t, 2*time.Millisecond, got.Sub(of(logLength+5).Sent), "the last packet went out after the first")
	_, ok = ask(of(3))
	require.False(t, ok, "long gone: another frame has its place")
	_, ok = ask(of(logLength + 10))
	require.False(t, ok, "it is being sent")
	audio := of(logLength + 5)
	audio.Video = false
	_, ok = ask(audio)
	require.False(t, ok)
	stranger := of(logLength + 5)
	stranger.Publisher = 2
	_, ok = ask(stranger)
	require.False(t, ok)
	_, ok = f.FirstFrame()
	require.False(t, ok)
}

// When one cannot publish, none does.
func TestLaunchFails(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	_, err = Launch(context.Background(), Options{URL: "http://" + l.Addr().String() + "/whip/{n}", Count: 3, Clip: demoClip(t)})
	require.ErrorContains(t, err, "publisher ")
}
