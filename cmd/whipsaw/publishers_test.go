package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whipsaw/segmenter"
)

// Programs of others, as they are, publish for some seconds and are interrupted. What comes out is legal, is decoded
// without a word, has sound, and ends because the publisher said so.
func TestPublishers(t *testing.T) {
	t.Parallel()
	for _, p := range []publisher{
		{name: "ffmpeg", load: 20, whole: wholeSegments, command: ffmpegCommand},
		{name: "GStreamer", load: 20, whole: wholeSegments, command: gstreamerCommand},
		{name: "werift", load: 30, whole: wholeSegments, command: nodeCommand("werift")},
		{name: "node-datachannel", load: 25, whole: wholeSegments, command: nodeCommand("node-datachannel")},
	} {
		t.Run(p.name, func(t *testing.T) {
			dir := publishersDir(t)
			if os.Getenv(insideEnv) == "" {
				realTime(t, p.load)
			}
			if elsewhere(t) {
				return
			}
			s, _ := serveElsewhere(t)
			program := startProgram(t, p.command(t, dir, s.URL()+"/whip/live")...)
			seen := s.watches(t, p.whole, program.interrupt)
			program.wait(t)
			seen.ended(t)
		})
	}
}

// publisher is a program that publishes.
type publisher struct {
	name    string
	load    int                  // of the machine, in hundredths of a core
	whole   func([]segment) bool // when enough is seen
	command func(t *testing.T, dir, url string) []string
}

// publishersDir is where .ci/publishers puts them.
func publishersDir(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("plays in real time")
	}
	cache, err := os.UserCacheDir()
	require.NoError(t, err)
	dir := filepath.Join(cache, "whipsaw-publishers")
	if _, err := os.Stat(filepath.Join(dir, "complete")); err != nil {
		missing(t, "other people's publishers are missing: .ci/publishers gets them (Debian, root)")
	}
	return dir
}

// inTree is a command of the Debian tree.
func inTree(dir string, args ...string) []string {
	return append([]string{"chroot", filepath.Join(dir, "debian")}, args...)
}

// FFmpeg gives keyframes when it wants, offers setup:passive and looks at one candidate only.
func ffmpegCommand(_ *testing.T, dir, url string) []string {
	return inTree(dir, "ffmpeg", "-v", "error", "-nostdin", "-re", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=30",
		"-re", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000", "-c:v", "libx264", "-profile:v", "baseline", "-pix_fmt", "yuv420p",
		"-preset", "ultrafast", "-tune", "zerolatency", "-b:v", "800k", "-g", "60", "-keyint_min", "60", "-bf", "0",
		"-c:a", "libopus", "-ac", "2", "-b:a", "96k", "-f", "whip", url)
}

// GStreamer's client trickles its candidates. With so long a group of pictures it lives on being asked for keyframes, as
// GStreamer's own sink does.
func gstreamerCommand(_ *testing.T, dir, url string) []string {
	return inTree(dir, "whip-client", "-u", url, "-l", "4",
		"-V", "videotestsrc is-live=true ! video/x-raw,width=640,height=360,framerate=30/1,format=I420 ! "+
			"x264enc tune=zerolatency speed-preset=ultrafast bitrate=800 key-int-max=2560 ! video/x-h264,profile=constrained-baseline ! "+
			"rtph264pay config-interval=-1 aggregate-mode=zero-latency ! "+
			"application/x-rtp,media=video,encoding-name=H264,payload=96,packetization-mode=(string)1",
		"-A", "audiotestsrc is-live=true ! audioconvert ! audioresample ! opusenc ! rtpopuspay ! "+
			"application/x-rtp,media=audio,encoding-name=OPUS,payload=100")
}

func nodeCommand(library string) func(*testing.T, string, string) []string {
	return func(t *testing.T, dir, url string) []string {
		tool(t, "ffmpeg", "ffmpeg")
		script, err := filepath.Abs("testdata/publish.mjs")
		require.NoError(t, err)
		return []string{tool(t, "node", "nodejs"), script, library, filepath.Join(dir, "node_modules"), url}
	}
}

// running is a program of others that runs.
type running struct {
	cmd  *exec.Cmd
	out  *buffer
	over chan error
}

// startProgram starts a program; it is killed when the test ends, at the latest.
func startProgram(t *testing.T, args ...string) *running {
	t.Helper()
	p := &running{cmd: exec.Command(args[0], args[1:]...), out: &buffer{}, over: make(chan error, 1)}
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.out
	p.cmd.WaitDelay = time.Second // for what it has started itself
	require.NoError(t, p.cmd.Start())
	ended := make(chan struct{})
	go func() {
		p.over <- p.cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // it has ended, as a rule
		<-ended
		if t.Failed() {
			t.Logf("%s:\n%s", strings.Join(args, " "), p.out.String())
		}
	})
	return p
}

// interrupt asks it to end, as the key on a keyboard does.
func (p *running) interrupt() { _ = p.cmd.Process.Signal(syscall.SIGINT) }

// wait waits until it has ended.
func (p *running) wait(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	select {
	case err := <-p.over:
		t.Logf("the publisher ended with %v", err)
	case <-ctx.Done():
		t.Fatal("the publisher does not end")
	}
}

// seen is all that came out of a stream.
type seen struct {
	server       *instance
	video, audio *follower
}

// watches follows a stream to the end of its playlist; stop is called once when enough segments are there, or when it takes
// too long.
func (s *instance) watches(t *testing.T, enough func([]segment) bool, stop func()) *seen {
	t.Helper()
	w := &seen{server: s}
	_, w.video, w.audio = s.multivariant("live")
	var once sync.Once
	late := time.AfterFunc(patience, func() { once.Do(stop) })
	defer late.Stop()
	together(t, w.video, w.audio, func(f *follower) bool {
		if f == w.video && enough(w.segments()) {
			once.Do(stop)
		}
		return false
	})
	t.Logf("segments: %v", w.segments())
	require.True(t, enough(w.segments()), "segments as they should be")
	return w
}

// segment is what a segment of video holds.
type segment struct {
	pictures int
	seconds  float64
	kbit     float64
}

func (s segment) String() string {
	return fmt.Sprintf("%d pictures in %.3f s, %.0f kbit", s.pictures, s.seconds, s.kbit)
}

// wholeSegments is enough of segments that hold two seconds and sixty pictures: on a machine that is busy otherwise
// encoders leave out some, and it takes longer.
func wholeSegments(list []segment) bool {
	n := 0
	for _, s := range list {
		if s.pictures == 60 && s.seconds > 1.95 && s.seconds < 2.05 {
			n++
		}
	}
	return n >= 2
}

// ended checks all of a stream whose publisher has said good-bye.
func (w *seen) ended(t *testing.T) {
	t.Helper()
	status, _, body := w.server.get("/hls/live/index.m3u8")
	require.Equal(t, http.StatusOK, status)
	sound(t, w.server, "live", body, w.video, w.audio)
	require.True(t, w.video.check.Ended())
	require.True(t, w.audio.check.Ended())
	streams := w.server.streams()
	require.Len(t, streams, 1)
	require.NotNil(t, streams[0].LastEnd)
	require.Equal(t, segmenter.ReasonDeleted, streams[0].LastEnd.Reason)
	require.Zero(t, streams[0].Discontinuities)

	pictures := w.pictures()
	first, last := pictures[0], pictures[len(pictures)-1]
	rate := float64(len(pictures)-1) / (last.dts - first.dts)
	t.Logf("%.2f pictures a second", rate)
	require.Greater(t, rate, 20.0)
	require.Less(t, rate, 33.0)
	out, stderr := ffmpeg(t, "-v", "error", "-live_start_index", "0", "-i", w.server.URL()+"/hls/live/index.m3u8", "-map", "0:v", "-fps_mode", "passthrough", "-enc_time_base", "1/90000", "-f", "null", "-",
		"-map", "0:a", "-af", "astats=metadata=1:reset=1,ametadata=print:key=lavfi.astats.Overall.RMS_level:file=-", "-f", "null", "-")
	require.Empty(t, stderr)
	level := median(t, regexp.MustCompile(`RMS_level=(\S+)`).FindAllStringSubmatch(out, -1))
	t.Logf("level of the sound: %.1f dB", level)
	require.Greater(t, level, -40.0, "there is sound")
}

// median is the number in the middle of those that were found.
func median(t *testing.T, found [][]string) float64 {
	t.Helper()
	require.NotEmpty(t, found)
	var all []float64
	for _, m := range found {
		if m[1] == "-inf" {
			m[1] = "-999"
		}
		all = append(all, number(t, m[1]))
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// pictures are the samples of video without the filler at their end, the last IDR again and again.
func (w *seen) pictures() []sample {
	out := w.video.samples
	for len(out) > 1 && out[len(out)-1].Sync {
		out = out[:len(out)-1]
	}
	return out
}

// segments are those of video, the one that is open included.
func (w *seen) segments() (out []segment) {
	pictures := w.pictures()
	last := ""
	for i, p := range pictures {
		if of := p.part[:strings.LastIndexByte(p.part, '-')]; of != last {
			out, last = append(out, segment{}), of
		}
		s := &out[len(out)-1]
		s.pictures++
		s.kbit += float64(len(p.Data)) * 8 / 1000
		if i+1 < len(pictures) {
			s.seconds += pictures[i+1].dts - p.dts
		}
	}
	return out
}
