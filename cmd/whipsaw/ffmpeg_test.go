package main

import (
	"bytes"
	"context"
	"math"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// ffmpeg runs it to its end and returns what it wrote.
func ffmpeg(t *testing.T, args ...string) (stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var out, errs bytes.Buffer
	c := exec.CommandContext(ctx, tool(t, "ffmpeg", "ffmpeg"), append([]string{"-hide_banner", "-nostdin"}, args...)...)
	c.Stdout, c.Stderr = &out, &errs
	require.NoError(t, c.Run(), "%s", errs.String())
	return out.String(), errs.String()
}

// A player that knows nothing of us reads the stream from its beginning to its end and has nothing to say.
func TestFFmpegDecodesWithoutAWord(t *testing.T) {
	realTime(t, loadStream+loadProgram)
	tool(t, "ffmpeg", "ffmpeg")
	s := serve(t)
	ended, _ := s.publish("live", false)
	s.multivariant("live")
	_, stderr := ffmpeg(t, "-v", "error", "-live_start_index", "0", "-i", s.URL()+"/hls/live/index.m3u8", "-f", "null", "-")
	require.Empty(t, stderr)
	require.NoError(t, <-ended)
}

// What is seen and what is heard come together: the bar lights up when the ping sounds, to within a frame.
func TestFlashMeetsPing(t *testing.T) {
	realTime(t, loadStream+loadProgram)
	tool(t, "ffmpeg", "ffmpeg")
	s := serve(t, "--demo")
	s.multivariant("demo")
	// A crop of the bar is bright for three frames a second; the ping is louder than the chord beneath it.
	out, stderr := ffmpeg(t, "-v", "info", "-live_start_index", "0", "-t", "6", "-i", s.URL()+"/hls/demo/index.m3u8", "-filter_complex",
		"[0:v]crop=180:20:210:320,signalstats,metadata=print:key=lavfi.signalstats.YAVG:file=-[v];"+
			"[0:a]highpass=f=700:p=2,highpass=f=700:p=2,silencedetect=noise=-30dB:d=0.3[a]",
		"-map", "[v]", "-f", "null", "-", "-map", "[a]", "-f", "null", "-")
	flashes, pings := flashes(t, out), starts(t, stderr)
	t.Logf("flashes at %.3f, pings at %.3f", flashes, pings)
	require.GreaterOrEqual(t, len(flashes), 4)
	matched := 0
	for _, flash := range flashes {
		for _, ping := range pings {
			if math.Abs(ping-flash) < 0.5 {
				require.InDelta(t, flash, ping, 0.045, "picture and sound are apart")
				matched++
			}
		}
	}
	require.GreaterOrEqual(t, matched, 4)
}

// flashes are the times at which the bar turned bright.
func flashes(t *testing.T, frames string) (at []float64) {
	t.Helper()
	lit, now := true, 0.0
	for line := range strings.Lines(frames) {
		if m := regexp.MustCompile(`pts_time:([0-9.]+)`).FindStringSubmatch(line); m != nil {
			now = number(t, m[1])
		}
		if m := regexp.MustCompile(`YAVG=([0-9.]+)`).FindStringSubmatch(line); m != nil {
			bright := number(t, m[1]) > 180
			if bright && !lit {
				at = append(at, now)
			}
			lit = bright
		}
	}
	return at
}

// starts are the times at which silence ended.
func starts(t *testing.T, log string) (at []float64) {
	t.Helper()
	for _, m := range regexp.MustCompile(`silence_end: ([0-9.]+)`).FindAllStringSubmatch(log, -1) {
		at = append(at, number(t, m[1]))
	}
	return at
}

func number(t *testing.T, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(s, 64)
	require.NoError(t, err)
	return v
}
