package doctor

import "strings"

// Encoder is the kind of program that publishes.
type Encoder string

// The encoders for which fixes are known.
const (
	Unknown     Encoder = ""
	OBS         Encoder = "OBS"
	FFmpeg      Encoder = "FFmpeg"
	GStreamer   Encoder = "GStreamer"
	Browser     Encoder = "browser"
	Aiortc      Encoder = "aiortc"
	Datachannel Encoder = "libdatachannel"
	Own         Encoder = "whipsaw publish"
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

// Recognise tells the encoder by its User-Agent, and where that says nothing by its offer (segmenter.PublisherConfig).
func Recognise(userAgent, origin string) Encoder {
	agent := strings.ToLower(userAgent)
	for _, s := range signs {
		if strings.Contains(agent, s.part) {
			return s.encoder
		}
	}
	return author(origin)
}

// author tells who wrote an offer by what its o= and s= look like: name, id, version, net type, address type, address.
func author(origin string) Encoder {
	line, _, _ := strings.Cut(origin, ";")
	f := strings.Fields(line)
	if len(f) != 6 {
		return Unknown
	}
	name, id, version, address := strings.ToLower(f[0]), f[1], f[2], f[5]
	switch {
	case name == "ffmpeg":
		return FFmpeg
	case strings.HasPrefix(name, "mozilla"):
		return Browser
	case name == "rtc":
		return Datachannel
	case name != "-":
		return Unknown
	case id == version: // a time, twice
		return Aiortc
	case version == "2" && address == "127.0.0.1": // libwebrtc
		return Browser
	case version == "0" && address == "0.0.0.0" && len(id) > 10: // 64 bits at random
		return GStreamer
	}
	return Unknown
}
