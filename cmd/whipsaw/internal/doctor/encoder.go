package doctor

import "strings"

// Encoder is the kind of program that publishes.
type Encoder string

// The encoders for which fixes are known.
const (
	Unknown   Encoder = ""
	OBS       Encoder = "OBS"
	FFmpeg    Encoder = "FFmpeg"
	GStreamer Encoder = "GStreamer"
	Browser   Encoder = "browser"
	Aiortc    Encoder = "aiortc"
	Own       Encoder = "whipsaw publish"
)

// signs are how encoders introduce themselves in User-Agent, the surest first: OBS calls itself a Mozilla as well.
var signs = []struct {
	part    string
	encoder Encoder
}{
	{"obs-studio", OBS}, {"libobs", OBS}, {"streamlabs", OBS},
	{"lavf/", FFmpeg}, {"ffmpeg", FFmpeg},
	{"gstreamer", GStreamer}, {"gst-", GStreamer}, {"whipclientsink", GStreamer}, {"libsoup", GStreamer},
	{"aiortc", Aiortc}, {"aiohttp", Aiortc}, {"python", Aiortc},
	{"whipsaw", Own},
	{"chrome/", Browser}, {"firefox/", Browser}, {"safari/", Browser}, {"mozilla/", Browser},
}

// Recognise tells the encoder by its User-Agent.
func Recognise(userAgent string) Encoder {
	agent := strings.ToLower(userAgent)
	for _, s := range signs {
		if strings.Contains(agent, s.part) {
			return s.encoder
		}
	}
	return Unknown
}
