package main

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"whipsaw/cmd/whipsaw/internal/doctor"
)

// Whatever goes wrong on a publisher's side, one fault at a time: API, metrics and log each name its cause alone, and the
// API and the log tell the fix in the encoder's words.
func TestFaults(t *testing.T) {
	plain, other, reordered := film(t, "plain.h264"), film(t, "other.h264"), film(t, "bframes.h264")
	const obs, ffmpeg = "Mozilla/5.0 (OBS-Studio/32.0.1; Linux x86_64; en-US)", "Lavf/62.3.100"
	for finding, c := range map[string]struct {
		sender sender
		length time.Duration
		limits doctor.Limits
		metric string // that shows it besides the finding
		fix    string
	}{
		"long-gop": {sender: sender{agent: obs, gop: 240, reports: true}, length: 30 * time.Second,
			metric: `whipsaw_video_gop_seconds{stream="live"} 8`, fix: "OBS: Settings"},
		"ignores-pli": {sender: sender{agent: ffmpeg, gop: 240, reports: true}, length: 40 * time.Second,
			metric: `whipsaw_track_plis_total{stream="live",track="video"}`, fix: "-g 60"},
		"loss": {sender: sender{obeys: true, reports: true, lose: func(n int) bool { return n%25 == 0 }}, length: 20 * time.Second,
			metric: `whipsaw_track_packets_lost_total{stream="live",track="video"}`, fix: "bit rate"},
		"no-sender-reports": {sender: sender{obeys: true}, length: 15 * time.Second,
			metric: `whipsaw_track_sender_reports_total{stream="live",track="video"} 0`, fix: "RTCP"},
		"b-frames": {sender: sender{agent: ffmpeg, film: reordered, reports: true}, length: 12 * time.Second,
			metric: `whipsaw_video_reordered_pictures{stream="live"}`, fix: "-bf 0"},
		"variable-frame-rate": {sender: sender{obeys: true, reports: true, rate: func(at time.Duration) int { return 10 + 20*(int(at/(4*time.Second))%2) }}, length: 30 * time.Second,
			metric: `whipsaw_video_frames_per_second{stream="live"}`, fix: "constant rate"},
		"resolution-changes": {sender: sender{obeys: true, reports: true, other: other, gop: 30}, length: 35 * time.Second,
			metric: `whipsaw_video_width_pixels{stream="live"}`, fix: "one size"},
		"bitrate": {sender: sender{obeys: true, reports: true}, length: 12 * time.Second, limits: doctor.Limits{MaxBitrate: 10_000},
			metric: `whipsaw_track_bytes_per_second{stream="live",track="video"}`, fix: "--warn-bitrate"},
		"excess": {sender: sender{obeys: true, reports: true}, length: 20 * time.Second, limits: doctor.Limits{Cap: 10_000},
			metric: `whipsaw_track_bytes_per_second{stream="live",track="video"}`, fix: "max-bitrate"},
		"mono-as-stereo": {sender: sender{obeys: true, reports: true, mono: true}, length: 12 * time.Second,
			metric: `whipsaw_audio_stereo_units_total{stream="live"} 0`, fix: "channels"},
		"clock-drift": {sender: sender{obeys: true, reports: true, drift: -time.Millisecond}, length: 100 * time.Second,
			metric: `whipsaw_track_packets_total{stream="live",track="audio"}`, fix: "resample"},
		"clock-jumps": {sender: sender{obeys: true, reports: true, skip: 10 * time.Second}, length: 20 * time.Second,
			metric: `whipsaw_track_clock_jumps_total{stream="live",track="audio"} 1`, fix: "restarted"},
		"no-audio": {sender: sender{obeys: true, noAudio: true}, length: 12 * time.Second,
			metric: `whipsaw_track_packets_total{stream="live",track="audio"} 0`, fix: "sound"},
		"no-media": {sender: sender{noAudio: true, noVideo: true}, length: 12 * time.Second,
			metric: `whipsaw_publishers{state="starting"} 1`, fix: "--webrtc-udp"},
		"no-keyframe": {sender: sender{agent: obs, gop: -1, reports: true}, length: 12 * time.Second,
			metric: `whipsaw_streams{state="waiting"} 1`, fix: "Keyframe Interval"},
		"frozen": {sender: sender{obeys: true, reports: true, stop: 10 * time.Second}, length: 16 * time.Second,
			metric: `whipsaw_video_filler_seconds_total{stream="live"}`, fix: "pictures stopped"},
		"publisher-gone": {sender: sender{obeys: true, reports: true, vanishes: 10 * time.Second}, length: 20 * time.Second,
			metric: `whipsaw_streams{state="resuming"} 1`, fix: "ice-failed"},
	} {
		t.Run(finding, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c.limits.Segment = 2 * time.Second
				p, stop := newPanel(t, c.limits)
				defer stop()
				if c.sender.film == nil {
					c.sender.film = plain
				}
				c.sender.publish(t, p.reg, c.length)
				time.Sleep(2500 * time.Millisecond)
				said := p.read("/api/streams/live/findings")
				require.Contains(t, said, `"id":"`+finding+`"`, "%s", p.log)
				require.Contains(t, said, c.fix)
				metrics := p.read("/metrics")
				require.Contains(t, metrics, `whipsaw_stream_finding{finding="`+finding+`",stream="live"} 1`)
				require.Contains(t, metrics, c.metric)
				require.Contains(t, p.log.String(), "stream=live session=s1 id="+finding)
			})
		})
	}
}

// A publisher without fault has nothing to hear but what is good to know.
func TestNoFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, stop := newPanel(t, doctor.Limits{Segment: 2 * time.Second, MaxBitrate: 20_000_000})
		defer stop()
		s := sender{agent: "Chrome/140", film: film(t, "plain.h264"), reports: true, obeys: true}
		s.publish(t, p.reg, 90*time.Second)
		require.NotContains(t, p.log.String(), "level=WARN")
		require.NotContains(t, p.read("/api/streams/live/findings"), `"warning"`)
		require.NotContains(t, p.read("/api/streams/live/findings"), `"error"`)
		require.Contains(t, p.read("/metrics"), `whipsaw_stream_finding{finding="opus-safari",stream="live"} 1`)
	})
}
