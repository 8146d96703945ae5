package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whipsaw/cmd/whipsaw/internal/demo"
	"whipsaw/fmp4"
	"whipsaw/signaling/client"
)

const (
	frameTime = time.Second / 30
	soundTime = 20 * time.Millisecond
)

// footage is what a camera sees and hears, over and over again: pictures at 30 a second, and sounds of 20 ms.
type footage struct {
	pictures [][][]byte // NAL units, with the parameter sets before each IDR
	sync     []bool
	sounds   [][]byte
	sps, pps [][]byte
}

// largeFootage is the built-in clip, 640x360.
func largeFootage(t *testing.T) *footage {
	t.Helper()
	r, size := demo.Clip()
	return openFootage(t, r, size)
}

// smallFootage is the same in 320x180, with an IDR every two seconds and the sounds of the clip.
func smallFootage(t *testing.T) *footage {
	t.Helper()
	dir := t.TempDir()
	from, to := filepath.Join(dir, "large.mp4"), filepath.Join(dir, "small.mp4")
	r, size := demo.Clip()
	large, err := io.ReadAll(io.NewSectionReader(r, 0, size))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(from, large, 0o600))
	ffmpeg(t, "-v", "error", "-t", "4", "-i", from, "-vf", "scale=320:180", "-c:a", "copy", "-c:v", "libx264", "-profile:v", "baseline", "-preset", "ultrafast",
		"-g", "60", "-keyint_min", "60", "-sc_threshold", "0", to)
	small, err := os.ReadFile(to)
	require.NoError(t, err)
	return openFootage(t, bytes.NewReader(small), int64(len(small)))
}

func openFootage(t *testing.T, r io.ReaderAt, size int64) *footage {
	t.Helper()
	f, err := fmp4.Open(r, size)
	require.NoError(t, err)
	out := &footage{}
	for _, track := range f.Tracks {
		for i, s := range track.Samples {
			b, err := track.ReadSample(nil, i)
			require.NoError(t, err)
			if track.Name == "Opus" {
				out.sounds = append(out.sounds, b)
				continue
			}
			nalus, err := fmp4.NALUs(b)
			require.NoError(t, err)
			if s.Sync {
				nalus = append(append(append([][]byte(nil), track.SPS...), track.PPS...), nalus...)
			}
			out.pictures, out.sync = append(out.pictures, nalus), append(out.sync, s.Sync)
			out.sps, out.pps = track.SPS, track.PPS
		}
	}
	require.NotEmpty(t, out.sounds)
	require.True(t, out.sync[0])
	return out
}

// camera is a publisher that can be made to fail in all the ways in which publishers do. It obeys requests for keyframes.
type camera struct {
	t       *testing.T
	session *client.Session
	net     *network
	ended   chan struct{} // closed when it sends no more
	stop    context.CancelFunc

	each   time.Duration // from one picture to the next
	strict bool          // picture and sound stay together, also after a freeze; requests for keyframes are not obeyed

	mu     sync.Mutex
	sees   *footage
	next   int // picture of it
	frozen int // pictures that are still to be left out
	sent   int // pictures
}

// film publishes footage until the test ends or something is done to the camera.
func (s *instance) film(t *testing.T, stream string, sees *footage) *camera {
	t.Helper()
	return s.filmWith(stream, &camera{t: t, sees: sees, each: frameTime})
}

// filmWith is film with a camera of another kind.
func (s *instance) filmWith(stream string, c *camera) *camera {
	t, sees := c.t, c.sees
	t.Helper()
	n := newNetwork(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	session, err := client.Publish(ctx, client.Options{
		URL: s.URL() + "/whip/" + stream, UserAgent: "camera", HTTPClient: &http.Client{Transport: n},
		Video: &client.VideoOptions{SPS: sees.sps, PPS: sees.pps}, Audio: &client.AudioOptions{},
	})
	require.NoError(t, err)
	c.session, c.net, c.ended = session, n, make(chan struct{})
	run, stop := context.WithCancel(context.Background())
	c.stop = stop
	go c.run(run, sees)
	t.Cleanup(c.hangUp)
	return c
}

// run sends each picture, and each sound of the footage, when it is due, on an absolute schedule.
func (c *camera) run(ctx context.Context, sees *footage) {
	defer close(c.ended)
	zero := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for picture, sound := 0, 0; ; {
		pictureDue, soundDue := time.Duration(picture)*c.each, time.Duration(sound)*soundTime
		timer.Reset(time.Until(zero.Add(min(pictureDue, soundDue))))
		if !c.wait(ctx, timer) {
			return
		}
		var err error
		if soundDue <= pictureDue {
			err = c.session.WriteAudio(sees.sounds[sound%len(sees.sounds)], soundDue)
			sound++
		} else {
			if nalus := c.picture(picture); nalus != nil {
				err = c.session.WriteVideo(nalus, pictureDue)
			}
			picture++
		}
		if err != nil {
			return // the session is over
		}
	}
}

// wait reports whether the timer came before the end. Meanwhile it hears of keyframes that are asked for.
func (c *camera) wait(ctx context.Context, timer *time.Timer) bool {
	for {
		select {
		case <-timer.C:
			return true
		case <-c.session.Keyframes():
			c.keyframe()
		case <-c.session.Done():
			return false
		case <-ctx.Done():
			return false
		}
	}
}

// picture is the next one, or nil while the camera is frozen: the one after that follows the one before, or, where the
// camera is strict, is the first IDR that is due. n counts all pictures that were due.
func (c *camera) picture(n int) [][]byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.strict {
		c.next = n % len(c.sees.pictures)
	}
	if c.frozen > 0 {
		c.frozen--
		if c.strict && c.frozen == 0 && !c.sees.sync[(c.next+1)%len(c.sees.pictures)] {
			c.frozen = 1
		}
		return nil
	}
	nalus := c.sees.pictures[c.next]
	c.next = (c.next + 1) % len(c.sees.pictures)
	c.sent++
	return nalus
}

// keyframe steps back to the IDR of the running group, if it is not the last picture that was sent.
func (c *camera) keyframe() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.strict {
		return
	}
	for i := c.next - 1; i >= 0; i-- {
		if c.sees.sync[i] {
			if i < c.next-1 {
				c.next = i
			}
			return
		}
	}
}

// freeze leaves out pictures for that long, while sound goes on.
func (c *camera) freeze(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.frozen = int(d / c.each)
}

// pictures is how many have been sent.
func (c *camera) pictures() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sent
}

// thawed reports whether pictures are sent again.
func (c *camera) thawed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.frozen == 0
}

// turn points the camera at other pictures, beginning with their first IDR; the sound goes on as it was.
func (c *camera) turn(to *footage) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sees, c.next = to, 0
}

// leave says good-bye: DELETE, then close_notify.
func (c *camera) leave() {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	require.NoError(c.t, c.session.Close(ctx))
	c.stop()
	<-c.ended
}

// hangUp closes the connection, with close_notify, but without DELETE.
func (c *camera) hangUp() {
	c.net.mute.Store(true)
	c.stop()
	<-c.ended
	_ = c.session.Close(context.Background()) // DELETE does not get through, as it should
}

// vanish stops everything without a word.
func (c *camera) vanish() {
	c.net.cut()
	c.stop()
	<-c.ended
}
