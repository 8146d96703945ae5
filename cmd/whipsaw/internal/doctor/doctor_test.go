package doctor

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whipsaw/segmenter"
)

var begun = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

var limits = Limits{Segment: 2 * time.Second, Part: 222 * time.Millisecond, MaxBitrate: 20_000_000, Cap: 22_000_000, CapEnds: true}

// healthy is what a publisher without fault has told after so many seconds.
func healthy(second float64) Sample {
	n := func(perSecond float64) int64 { return int64(second * perSecond) }
	obeys := true
	v := segmenter.VideoStatus{Width: 1280, Height: 720, FrameRate: 30, GOP: 2, KeyframeAge: 1, ObeysPLI: &obeys}
	v.Codec, v.Bitrate, v.Packets, v.Units, v.Reports = "avc1.64001f", 3_000_000, n(300), n(30), n(1)
	a := segmenter.AudioStatus{Channels: 2, Stereo: n(50)}
	a.Codec, a.Bitrate, a.Packets, a.Units, a.Reports = "opus", 128_000, n(50), n(50), n(1)
	a.ClockOffset = 5 * time.Second
	return Sample{At: begun.Add(time.Duration(second * float64(time.Second))), Status: segmenter.Status{
		Name: "live", State: "live", Generation: "g", Publisher: &segmenter.PublisherStatus{Session: "s", UserAgent: "x", Since: begun}, Video: &v, Audio: &a,
	}}
}

// history is two minutes of a publisher, changed sample by sample.
func history(change func(second float64, s *segmenter.Status)) []Sample {
	var h []Sample
	for second := 0.0; second <= 120; second += 2 {
		s := healthy(second)
		change(second, &s.Status)
		h = append(h, s)
	}
	return h
}

type status = segmenter.Status

// faults provoke each finding: the least that does, and the most that does not yet.
var faults = map[string]struct {
	provoke, spare func(second float64, s *status)
	says           string // of the sentence
}{
	"publisher-gone": {
		func(second float64, s *status) {
			if second > 100 {
				s.State, s.Publisher, s.LastEnd = "resuming", nil, &segmenter.End{Reason: segmenter.ReasonICEFailed, At: begun.Add(100 * time.Second)}
			}
		},
		func(_ float64, s *status) { s.LastEnd = &segmenter.End{Reason: segmenter.ReasonReplaced, At: begun} }, "ice-failed) since 20 s"},
	"no-media": {
		func(_ float64, s *status) { s.State, s.Video.Packets, s.Audio.Packets = "waiting", 0, 0 },
		func(_ float64, s *status) { s.State, s.Video.Packets, s.Audio.Packets = "waiting", 0, 1 }, "UDP"},
	"no-keyframe": {
		func(_ float64, s *status) { s.State = "waiting" },
		func(second float64, s *status) {
			if second < 10 {
				s.State = "waiting"
			}
		}, "none that viewers could begin with"},
	"no-video": {func(_ float64, s *status) { s.Video.Packets = 0 }, func(_ float64, s *status) { s.Video = nil }, "declared video"},
	"no-audio": {func(_ float64, s *status) { s.Audio.Packets = 0 }, func(_ float64, s *status) { s.Audio = nil }, "declared audio"},
	"frozen": {
		func(second float64, s *status) { s.Video.Filler = max(second-118, 0) },
		func(second float64, s *status) { s.Video.Filler = min(second, 100) }, "still picture for 2.0 s"},
	"withheld": {
		func(second float64, s *status) { s.Video.Withheld = second > 110 },
		func(second float64, s *status) { s.Video.Withheld = int(second)%4 == 0 }, "wait for a keyframe"},
	"loss": {
		func(second float64, s *status) { s.Video.Lost, s.Video.Missing = int64(second), int64(second*2) },
		func(second float64, s *status) { s.Video.Lost = int64(min(second, 80)) }, "0.3 % of the packets of the last 30 s are lost after all repair (0.6 % before)"},
	"overflow": {
		func(second float64, s *status) { s.Overflow = int64(second) },
		func(second float64, s *status) { s.Overflow = int64(min(second, 50)) }, "60 packets were dropped"},
	"long-gop": {
		func(_ float64, s *status) { s.Video.GOP = 8.3 },
		func(_ float64, s *status) { s.Video.GOP = 2.1 }, "keyframe interval is 8.3 s"},
	"ignores-pli": {
		func(_ float64, s *status) { no := false; s.Video.GOP, s.Video.ObeysPLI = 8.3, &no },
		func(_ float64, s *status) { no := false; s.Video.ObeysPLI = &no }, "PLI"},
	"b-frames": {func(_ float64, s *status) { s.Video.Reordering = 2 }, func(_ float64, s *status) {}, "up to 2"},
	"variable-frame-rate": {
		func(second float64, s *status) {
			s.Video.Units = int64(second/4)*60 + int64(min(int(second)%4, 2))*5
			if int(second)%4 == 0 {
				s.Video.Units = int64(second/4) * 120
			}
		},
		func(second float64, s *status) { s.Video.Units += int64(second) % 3 }, "varies between"},
	"resolution-changes": {
		func(second float64, s *status) { s.Video.Width = 640 + 320*(int(second/20)%2) },
		func(second float64, s *status) { s.Video.Width = 640 + 320*(int(second/40)%2) }, "960x720"},
	"clock-jumps": {
		func(second float64, s *status) { s.Audio.Jumps = int64(second / 50) },
		func(_ float64, s *status) { s.Audio.Jumps = 3 }, "jumped 1 times"},
	"clock-drift": {
		func(second float64, s *status) { s.Audio.ClockOffset += time.Duration(second) * 300 * time.Microsecond },
		func(second float64, s *status) { s.Audio.ClockOffset += time.Duration(second) * 150 * time.Microsecond }, "300 ppm too slow"},
	"out-of-sync": {
		func(_ float64, s *status) { s.Video.AVOffset = -0.2 },
		func(second float64, s *status) { s.Video.AVOffset = 0.2 * float64(int(second)%4) / 2 }, "200 ms"},
	"no-sender-reports": {
		func(_ float64, s *status) { s.Video.Reports = 0 },
		func(_ float64, s *status) { s.Video.Reports, s.Audio = 0, nil }, "for video"},
	"bitrate": {
		func(_ float64, s *status) { s.Video.Bitrate = 25_000_000 },
		func(_ float64, s *status) { s.Video.Bitrate = 19_000_000 }, "25.1 Mbit/s"},
	"excess": {
		func(_ float64, s *status) { s.Video.Bitrate = 25_000_000 },
		func(_ float64, s *status) { s.Video.Bitrate = 24_000_000 }, "this stream may have 22.0 Mbit/s. Its sessions end"},
	"garbage": {
		func(second float64, s *status) { s.Video.Garbage = int64(second) },
		func(second float64, s *status) { s.Video.Garbage = int64(second / 20) }, "60 packets"},
	"stereo-as-mono": {
		func(_ float64, s *status) { s.Audio.Channels = 1 },
		func(_ float64, s *status) { s.Audio.Channels, s.Audio.Stereo = 1, 100 }, "declared as mono"},
	"mono-as-stereo": {
		func(_ float64, s *status) { s.Audio.Stereo = 0 },
		func(_ float64, s *status) { s.Audio.Stereo = 1 }, "coded in mono"},
	"repaired-loss": {
		func(second float64, s *status) { s.Video.Missing = int64(second * 10) },
		func(second float64, s *status) { s.Video.Missing = int64(second * 5) }, "2.9 %"},
	"long-audio-frames": {
		func(_ float64, s *status) { s.Audio.Frame = 0.06 },
		func(_ float64, s *status) { s.Audio.Frame = 0.04 }, "fill 180 ms of a part of 222 ms"},
	"opus-safari": {func(_ float64, s *status) {}, func(_ float64, s *status) { s.Audio = nil }, "iOS 17"},
}

func find(list []Finding, id string) *Finding {
	for i := range list {
		if list[i].ID == id {
			return &list[i]
		}
	}
	return nil
}

// Each finding is made by its fault, and by nothing less.
func TestFindings(t *testing.T) {
	require.Len(t, faults, len(IDs()), "each has its test")
	for _, id := range IDs() {
		t.Run(id, func(t *testing.T) {
			c, there := faults[id]
			require.True(t, there)
			list := Examine(history(c.provoke), limits)
			f := find(list, id)
			require.NotNil(t, f, "%v", list)
			require.Contains(t, f.Sentence, c.says)
			require.NotEmpty(t, f.Fix)
			require.Contains(t, []Severity{Info, Warning, Error}, f.Severity)
			require.Nil(t, find(Examine(history(c.spare), limits), id), "%v", id)
		})
	}
}

func TestHealthy(t *testing.T) {
	h := history(func(float64, *status) {})
	for n := range h {
		for _, f := range Examine(h[:n], limits) {
			require.Equal(t, "opus-safari", f.ID, "%v", f)
		}
	}
}

// Loss gets graver.
func TestSeverityOfLoss(t *testing.T) {
	f := find(Examine(history(func(second float64, s *status) { s.Video.Lost = int64(second * 20) }), limits), "loss")
	require.Equal(t, Error, f.Severity)
	require.Nil(t, find(Examine(history(func(second float64, s *status) { s.Video.Lost, s.Video.Missing = int64(second*20), int64(second*20) }), limits), "repaired-loss"),
		"one of the two is enough")
}

// A stream may lack anything: no check falls over it.
func TestPartialStatus(t *testing.T) {
	for _, change := range []func(*status){
		func(s *status) { s.Video = nil }, func(s *status) { s.Audio = nil }, func(s *status) { s.Video, s.Audio = nil, nil },
		func(s *status) { s.Publisher = nil }, func(s *status) { *s = status{} }, func(s *status) { s.State, s.Publisher, s.LastEnd = "resuming", nil, nil },
	} {
		h := history(func(second float64, s *status) {
			if second > 60 {
				change(s)
			}
		})
		require.NotPanics(t, func() { Examine(h, limits) })
		require.NotPanics(t, func() { Examine(h[len(h)-1:], limits) })
		require.NotPanics(t, func() { Examine(append(h[31:], h[:31]...), limits) })
	}
	require.Empty(t, Examine(nil, limits))
}

func TestEncoders(t *testing.T) {
	for agent, want := range map[string]Encoder{
		"Mozilla/5.0 (OBS-Studio/31.0.1; Linux x86_64; en-US)": OBS,
		"Lavf/62.3.100": FFmpeg, "GStreamer souphttpsrc": GStreamer, "gst-plugins-rs": GStreamer,
		"Python/3.13 aiohttp/3.9.5":                                          Aiortc,
		"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0":            Browser,
		"Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 Version/18 Safari/605": Browser,
		"whipsaw/v1.0.0": Own, "": Unknown, "something": Unknown,
	} {
		require.Equal(t, want, Recognise(agent, ""), agent)
	}
}

// Offers tell who wrote them where there is no User-Agent; a User-Agent is believed more.
func TestRecogniseByOffer(t *testing.T) {
	for file, want := range map[string]Encoder{
		"aiortc": Aiortc, "chromium": Browser, "chromium-trickle": Browser, "eyevinn-trickle": Browser, "ffmpeg9": FFmpeg, "firefox": Browser,
		"gst": GStreamer, "ndc": Datachannel, "obs": Datachannel, "werift": Unknown, "wrtc": Browser,
	} {
		b, err := os.ReadFile("../../../../signaling/testdata/" + file + ".sdp")
		require.NoError(t, err)
		_, rest, _ := strings.Cut(string(b), "o=")
		origin, rest, _ := strings.Cut(rest, "\r\n")
		_, rest, _ = strings.Cut(rest, "s=")
		session, _, _ := strings.Cut(rest, "\r\n")
		origin += "; " + session
		require.Equal(t, want, Recognise("", origin), file)
		require.Equal(t, OBS, Recognise("Mozilla/5.0 (OBS-Studio/32.2.0; Linux x86_64; en-US)", origin), file)
	}
	for _, origin := range []string{"", "; ", "- 1 2", "someone 1 2 IN IP4 127.0.0.1; x"} {
		require.Equal(t, Unknown, Recognise("", origin))
	}
}

// The fix speaks the encoder's language, and every finding has one for any encoder.
func TestFixes(t *testing.T) {
	require.Contains(t, fix("long-gop", OBS), "Settings > Output > Keyframe Interval = 2 s")
	require.Contains(t, fix("long-gop", FFmpeg), "-g 60")
	require.Contains(t, fix("b-frames", FFmpeg), "-bf 0")
	for _, id := range IDs() {
		require.NotEmpty(t, fix(id, Unknown), id)
		require.True(t, strings.HasSuffix(fix(id, OBS), "."), id)
	}
	require.Len(t, fixes, len(IDs()))
}
