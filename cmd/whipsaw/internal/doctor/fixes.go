package doctor

// checks are all that is looked for, the gravest first.
var checks = []check{
	{"publisher-gone", gone},
	{"no-media", noMedia},
	{"no-keyframe", noKeyframe},
	{"no-video", noVideo},
	{"no-audio", noAudio},
	{"frozen", frozen},
	{"withheld", withheld},
	{"loss", loss},
	{"overflow", overflow},
	{"long-gop", longGOP},
	{"ignores-pli", ignoresPLI},
	{"b-frames", reordered},
	{"variable-frame-rate", variableRate},
	{"resolution-changes", flapping},
	{"clock-jumps", jumps},
	{"clock-drift", drift},
	{"out-of-sync", outOfSync},
	{"no-sender-reports", noReports},
	{"excess", excess},
	{"bitrate", tooFast},
	{"garbage", garbage},
	{"stereo-as-mono", stereoAsMono},
	{"mono-as-stereo", monoAsStereo},
	{"repaired-loss", repaired},
	{"long-audio-frames", longFrames},
	{"opus-safari", opusSafari},
}

// fix is what to do about a finding, for that encoder if there is something special about it.
func fix(id string, e Encoder) string {
	if s, ok := fixes[id][e]; ok {
		return s
	}
	return fixes[id][Unknown]
}

const (
	asksForIDR   = "Nothing to set: this publisher gives keyframes when asked. If it does not, lower the load of its machine."
	betterUplink = "Lower the bit rate, or use a better network: a cable in place of Wi-Fi, less traffic beside it."
)

// fixes are what to do, by finding and encoder; Unknown is for all that have no entry of their own.
var fixes = map[string]map[Encoder]string{
	"publisher-gone": {Unknown: "Look at the publisher's machine and network. silent, ice-failed: its packets stopped; peer-closed: its program ended; deleted: it said goodbye; " +
		"kicked: the operator ended it."},
	"no-media": {Unknown: "Open the UDP port of --webrtc-udp in the firewalls between, and set --public-ip to the address under which publishers reach this server."},
	"no-keyframe": {
		Unknown: "Let the encoder send a keyframe every 2 s, with SPS and PPS before each.",
		OBS:     "OBS: Settings > Output > Keyframe Interval = 2 s, and another encoder than OpenH264.",
		FFmpeg:  "ffmpeg: -g 60 for 30 frames a second, and -bsf:v dump_extra with hardware encoders.",
	},
	"no-video": {Unknown: "Let the publisher send its pictures, or leave video out of its offer: without them a start takes 2 s longer.",
		OBS: "OBS: look whether the encoder started (Help > Log Files), and choose H.264.", Browser: "Allow the page the camera or the screen, and look whether its track is muted."},
	"no-audio": {Unknown: "Let the publisher send its sound, or leave audio out of its offer: without it a start takes 2 s longer.",
		OBS: "OBS: look at the Audio Mixer, and choose Opus under Settings > Output > Audio Encoder.", Browser: "Allow the page the microphone, and look whether its track is muted.",
		FFmpeg: "ffmpeg: -c:a libopus with a source of sound, or -an."},
	"frozen": {Unknown: "See the other findings: pictures stopped (capture, encoder), or were lost and no keyframe followed."},
	"withheld": {Unknown: "Let the encoder send a keyframe every 2 s, or answer PLI; --on-loss show goes on with damaged pictures.",
		OBS: "OBS: Settings > Output > Keyframe Interval = 2 s. --on-loss show goes on with damaged pictures.", FFmpeg: "ffmpeg: -g 60. --on-loss show goes on with damaged pictures."},
	"loss":     {Unknown: betterUplink, OBS: "OBS: Settings > Output > Video Bitrate lower. " + betterUplink, FFmpeg: "ffmpeg: -b:v lower, -maxrate and -bufsize set. " + betterUplink},
	"overflow": {Unknown: "Give the server more CPU or fewer streams; look at whipsaw_stream_delay_seconds and at process_cpu_seconds_total."},
	"long-gop": {
		Unknown:   "Set the encoder's keyframe interval to 2 s.",
		OBS:       "OBS: Settings > Output > Keyframe Interval = 2 s (0 means automatic, 4 to 10 s).",
		FFmpeg:    "ffmpeg: -g 60 for 30 frames a second (-force_key_frames \"expr:gte(t,n_forced*2)\" for any rate).",
		GStreamer: "GStreamer: key-int-max=60 (x264enc), or let the encoder obey force-key-unit events.",
		Browser:   asksForIDR, Aiortc: "aiortc: let the encoder make a keyframe every 2 s, or on PLI.", Own: "Encode the file with a keyframe every 2 s: ffmpeg -g 60.",
	},
	"ignores-pli": {
		Unknown:   "Set the encoder's keyframe interval to 2 s; --on-loss show goes on with damaged pictures after a loss.",
		OBS:       "OBS never answers PLI: Settings > Output > Keyframe Interval = 2 s.",
		FFmpeg:    "ffmpeg never answers PLI: -g 60 for 30 frames a second.",
		GStreamer: "GStreamer: use an encoder that obeys force-key-unit events, or key-int-max=60.",
	},
	"b-frames": {
		Unknown:   "Turn B-frames off in the encoder.",
		OBS:       "OBS: Settings > Output > B-frames = 0; with VideoToolbox \"Use B-frames\" off, with NVENC not the UHQ tuning.",
		FFmpeg:    "ffmpeg: -bf 0.",
		GStreamer: "GStreamer: bframes=0 (x264enc), or tune=zerolatency.",
		Own:       "Encode the file without B-frames: ffmpeg -bf 0.",
	},
	"variable-frame-rate": {
		Unknown: "Let the encoder send at a constant rate; if it does, its machine or its capture does not keep up.",
		OBS:     "OBS: View > Stats shows frames that were missed (rendering) or skipped (encoding): lower the resolution or choose a faster preset.",
		FFmpeg:  "ffmpeg: -fps_mode cfr -r 30, and a faster -preset if it runs below 1x.",
		Browser: "The camera lowers its rate in the dark, and a shared screen sends only what changes: choose a brighter place, or a fixed rate in the page.",
	},
	"resolution-changes": {
		Unknown: "Send at one size: turn the encoder's adaptation off or lower its bit rate's start.",
		Browser: "The browser adapts to its network or CPU: choose a lower resolution, or contentHint \"detail\" with degradationPreference \"maintain-resolution\".",
	},
	"clock-jumps": {Unknown: "Look at what feeds the encoder: a source that was restarted, a file that loops, a machine that slept.",
		FFmpeg: "ffmpeg: -re with -stream_loop needs -fflags +genpts; look for \"Non-monotonous DTS\" in its log."},
	"clock-drift": {Unknown: "Take sound and pictures from one device, or let the encoder resample sound to the machine's clock.",
		OBS:    "OBS: one sample rate for all devices (Settings > Audio), and the same one in the operating system.",
		FFmpeg: "ffmpeg: -af aresample=async=1."},
	"out-of-sync":       {Unknown: "The publisher's sender reports and its packets do not agree: send sound and pictures from one machine with one clock."},
	"no-sender-reports": {Unknown: "Let the publisher send RTCP sender reports (RFC 3550 6.4.1) for both tracks."},
	"bitrate": {Unknown: "Lower the encoder's bit rate, or raise --warn-bitrate.", OBS: "OBS: Settings > Output > Video Bitrate.", FFmpeg: "ffmpeg: -b:v, with -maxrate and -bufsize.",
		Browser: "Set maxBitrate of the sender's encodings in the page."},
	"excess": {Unknown: "Lower the encoder's bit rate, or raise max-bitrate of the stream.", OBS: "OBS: Settings > Output > Video Bitrate.", FFmpeg: "ffmpeg: -b:v, with -maxrate and -bufsize.",
		Browser: "Set maxBitrate of the sender's encodings in the page."},
	"garbage": {Unknown: "Look at the publisher's packetizer; a newer version of it may help."},
	"stereo-as-mono": {Unknown: "Declare it: stereo=1;sprop-stereo=1 in the offer's Opus line (RFC 7587 6.1).",
		Browser: "Add stereo=1 to Opus in the offer's SDP."},
	"mono-as-stereo": {Unknown: "Nothing, if the source is mono. Otherwise look at the channels of the source and of the encoder.",
		OBS: "OBS: Settings > Audio > Channels, and Advanced Audio Properties > Mono.", Browser: "getUserMedia with channelCount 2 and without echoCancellation gives stereo."},
	"repaired-loss": {Unknown: betterUplink},
	"long-audio-frames": {Unknown: "Let the encoder make Opus frames of 20 ms, or set --part 250ms, which frames of 20, 40, 60 and 120 ms fill.",
		FFmpeg: "ffmpeg: -frame_duration 20."},
	"opus-safari": {Unknown: "Nothing to set: tell viewers to update, or to use another browser."},
}
