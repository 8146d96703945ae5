package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// programTime is how much of the stream each program plays, in seconds.
const programTime = 5

// Players that people have on their machines play what comes: plain segments to those that know nothing of low latency.
func TestPrograms(t *testing.T) {
	realTime(t, loadStream+4*loadProgram)
	s := serve(t, "--demo")
	_, video, _ := s.multivariant("demo")
	// All of them want some segments to begin with.
	require.NoError(t, video.follow(t.Context(), func() bool { return video.segments >= 3 }))
	url := s.URL() + "/hls/demo/index.m3u8"
	for name, play := range map[string]func(*testing.T, string){
		"ffmpeg": playFFmpeg, "ffprobe": playFFprobe, "GStreamer": playGStreamer, "mpv": playMPV, "VLC": playVLC,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, url)
		})
	}
}

// program runs a player that ends by itself, and returns all that it said.
func program(t *testing.T, path string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, args...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return string(out)
}

// played logs what came out, and requires that it is all of the time that was to be played.
func played(t *testing.T, pictures, sounds int) {
	t.Helper()
	t.Logf("%d pictures, %d packets of sound", pictures, sounds)
	require.GreaterOrEqual(t, pictures, programTime*30-2)
	require.GreaterOrEqual(t, sounds, programTime*50-5)
}

// ffmpeg reads at the pace of the stream, decodes all, and has nothing to say.
func playFFmpeg(t *testing.T, url string) {
	out, stderr := ffmpeg(t, "-v", "error", "-re", "-t", strconv.Itoa(programTime), "-i", url, "-map", "0:v", "-map", "0:a", "-f", "framecrc", "-")
	require.Empty(t, stderr)
	pictures, samples := 0, 0
	for line := range strings.Lines(out) {
		switch {
		case strings.HasPrefix(line, "0,"):
			pictures++
		case strings.HasPrefix(line, "1,"):
			samples += int(number(t, strings.TrimSpace(strings.Split(line, ",")[3])))
		}
	}
	played(t, pictures, samples/960)
}

func playFFprobe(t *testing.T, url string) {
	out := program(t, tool(t, "ffprobe", "ffmpeg"), "-v", "error", "-count_frames", "-read_intervals", fmt.Sprintf("%%+%d", programTime),
		"-show_entries", "stream=codec_name,width,height,nb_read_frames", "-of", "json", url)
	var found struct {
		Streams []struct {
			Codec         string `json:"codec_name"`
			Width, Height int
			Frames        string `json:"nb_read_frames"`
		}
	}
	require.NoError(t, json.Unmarshal([]byte(out), &found), out)
	frames := make(map[string]int)
	for _, s := range found.Streams {
		frames[s.Codec] = int(number(t, s.Frames))
		if s.Codec == "h264" {
			require.Equal(t, []int{640, 360}, []int{s.Width, s.Height})
		}
	}
	played(t, frames["h264"], frames["opus"])
}

// GStreamer's newer demultiplexer decodes all and shows it when it is due.
func playGStreamer(t *testing.T, url string) {
	const debian = "gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-libav"
	begun := time.Now()
	out := program(t, tool(t, "gst-launch-1.0", debian), "-v", "playbin3", "uri="+url,
		fmt.Sprintf("video-sink=fakesink name=pictures sync=true silent=false num-buffers=%d", programTime*30),
		fmt.Sprintf("audio-sink=fakesink name=sounds sync=true silent=false num-buffers=%d", programTime*50))
	require.Contains(t, out, "GstHLSDemux2")
	require.NotContains(t, out, "ERROR")
	require.Greater(t, time.Since(begun), (programTime-1)*time.Second, "it plays, and does not only read")
	played(t, strings.Count(out, "chain   ******* (pictures:sink)"), strings.Count(out, "chain   ******* (sounds:sink)"))
}

// sampleCounts are how many samples of sound mpv's filter tells of at a time.
var sampleCounts = regexp.MustCompile(`nb_samples:(\d+)`)

// mpv shows pictures as they are due; filters tell of each picture and sound.
func playMPV(t *testing.T, url string) {
	out := program(t, tool(t, "mpv", "mpv"), "--no-config", "--vo=null", "--ao=null", "--length="+strconv.Itoa(programTime), "--term-status-msg=",
		"--msg-level=all=warn,ffmpeg=v", "--vf=lavfi=[showinfo]", "--af=lavfi=[ashowinfo]", url)
	require.NotRegexp(t, `(?i)invalid|corrupt|failed`, out)
	samples := 0
	for _, m := range sampleCounts.FindAllStringSubmatch(out, -1) {
		samples += int(number(t, m[1]))
	}
	played(t, strings.Count(out, "Parsed_showinfo_0: n:"), samples/960)
}

// VLC tells about itself over HTTP. It refuses to run as root, and then runs as nobody.
func playVLC(t *testing.T, url string) {
	path := tool(t, "vlc", "vlc-bin vlc-plugin-base")
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	at := free.Addr().(*net.TCPAddr)
	require.NoError(t, free.Close())
	line := []string{path, "--intf=http", "--http-host=" + at.IP.String(), "--http-port=" + strconv.Itoa(at.Port), "--http-password=vlc",
		"--vout=vdummy", "--aout=adummy", "--no-video-title-show", url}
	if os.Geteuid() == 0 {
		line = append([]string{tool(t, "setpriv", "util-linux"), "--reuid=65534", "--regid=65534", "--clear-groups"}, line...)
	}
	c := exec.Command(line[0], line[1:]...)
	c.Env = append(os.Environ(), "HOME=/nonexistent")
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	require.NoError(t, c.Start())
	t.Cleanup(func() {
		_ = c.Process.Kill() // it would play on
		_ = c.Wait()
		if t.Failed() {
			t.Logf("VLC:\n%s", out.String())
		}
	})
	type stats struct{ DisplayedPictures, LostPictures, PlayedABuffers, LostABuffers int }
	var is stats
	eventually(t, "VLC plays", func() bool {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+at.String()+"/requests/status.json", nil)
		require.NoError(t, err)
		r.SetBasicAuth("", "vlc")
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			return false // not yet
		}
		defer answer.Body.Close()
		var status struct{ Stats stats }
		if json.NewDecoder(answer.Body).Decode(&status) != nil {
			return false // nothing is played yet
		}
		is = status.Stats
		return is.DisplayedPictures >= programTime*30 && is.PlayedABuffers >= programTime*50
	})
	t.Logf("VLC: %+v", is)
	played(t, is.DisplayedPictures, is.PlayedABuffers)
	require.Less(t, is.LostPictures+is.LostABuffers, programTime*5, "shown late or not at all")
}
