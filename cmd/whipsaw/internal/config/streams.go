package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"whipsaw/segmenter"
	"whipsaw/signaling"
)

func streamSettings(s *segmenter.Config, r *signaling.StreamRules, state *string) []Setting {
	return []Setting{
		{Name: "part", Stream: true, Reload: true, Value: "DURATION", Default: "222ms", set: duration(&s.Part),
			Help: "longest part (PART-TARGET)"},
		{Name: "segment", Stream: true, Reload: true, Value: "DURATION", Default: "2s", set: duration(&s.Segment),
			Help: "length of a segment, as far as the publisher's keyframes allow it"},
		{Name: "max-segment", Stream: true, Reload: true, Value: "DURATION", Default: "0s", set: duration(&s.MaxSegment),
			Help: "longest segment (TARGETDURATION); 0s is the same as --segment; above 3s some players give up on a server that stands still before it says so"},
		{Name: "window", Stream: true, Reload: true, Value: "DURATION", Default: "30s", set: duration(&s.Window),
			Help: "how much of the past a live playlist shows"},
		{Name: "resume", Stream: true, Reload: true, Value: "DURATION", Default: "30s", set: duration(&s.Resume),
			Help: "how long a stream stays live for a publisher that was lost to come back"},
		{Name: "state", Value: "DIR", set: text(state),
			Help: "directory where streams keep what they need to go on after a restart; without it a restart begins new playlists"},
		{Name: "on-loss", Stream: true, Reload: true, Value: "freeze|show", Default: "freeze", set: choice((*string)(&s.OnLoss), "freeze", "show"),
			Help: "after lost packets: freeze until the next keyframe, or show damaged pictures, for publishers that give none when asked"},
		{Name: "recovery-points", Stream: true, Reload: true, Default: "false", set: toggle(&s.RecoveryPoints),
			Help: "take intra pictures with a recovery point for keyframes, for encoders that send no IDR"},
		{Name: "video-only-variant", Stream: true, Reload: true, Default: "false", set: toggle(&s.VideoOnlyVariant),
			Help: "offer the picture without sound too, for players that do not know Opus, like Safari before iOS 17"},
		{Name: "prft", Stream: true, Reload: true, Default: "false", set: toggle(&s.ReferenceTimes),
			Help: "put the wall clock time of its first sample into each part (prft box), for players and tools that measure latency by it"},
		{Name: "codec", Stream: true, Reload: true, Value: strings.ToLower(strings.Join(signaling.Codecs(), "|")), Repeat: true, set: codecs(&r.Codecs),
			Help: "codec that publishers may send; may be repeated; without it all that can be served: h264 alone is video without sound"},
		{Name: "max-bitrate", Stream: true, Reload: true, Value: "KBIT", Default: "0", set: bitrate(&r.MaxBitrate),
			Help: "bit rate in kbit/s that a publisher may send, all tracks together: it is told so, and the doctor warns of what is lastingly over it; 0 is any"},
		{Name: "on-excess", Stream: true, Reload: true, Value: "tell|end", Default: "tell", set: excess(&r.EndExcess),
			Help: "a publisher that sends a tenth more than --max-bitrate for ten seconds: tell of it, or end it"},
		{Name: "max-streams", Value: "N", Default: "1000", set: count(&s.MaxStreams),
			Help: "streams at the same time"},
		{Name: "max-access-unit", Value: "SIZE", Default: "16MiB", set: size(&s.MaxAccessUnit),
			Help: "largest picture; a publisher that sends a larger one is ended"},
		{Name: "max-stream-memory", Value: "SIZE", Default: "512MiB", set: size(&s.MaxBytes),
			Help: "what one stream keeps for its viewers; a publisher that needs more is ended"},
		{Name: "max-memory", Value: "SIZE", Default: "4GiB", set: size(&s.MaxTotal),
			Help: "what all streams together keep for their viewers; over it the largest is ended, and near it nobody new is taken"},
	}
}

// codecs takes names of codecs, in any letter case.
func codecs(to *[]string) func([]string) error {
	return func(v []string) error {
		*to = nil
		for _, name := range v {
			known := false
			for _, c := range signaling.Codecs() {
				if strings.EqualFold(c, name) {
					*to, known = append(*to, c), true
				}
			}
			if !known {
				return fmt.Errorf("%q is no codec that can be served: %s", name, strings.ToLower(strings.Join(signaling.Codecs(), ", ")))
			}
		}
		return nil
	}
}

// bitrate takes kbit/s and keeps bit/s.
func bitrate(to *int64) func([]string) error {
	return func(v []string) error {
		n, err := strconv.ParseInt(v[0], 10, 64)
		if err != nil || n < 0 || n > math.MaxInt32 {
			return fmt.Errorf("%q is no bit rate in kbit/s like 6000", v[0])
		}
		*to = n * 1000
		return nil
	}
}

// excess takes what is done about a publisher over its bound.
func excess(end *bool) func([]string) error {
	var word string
	take := choice(&word, "tell", "end")
	return func(v []string) error {
		if err := take(v); err != nil {
			return err
		}
		*end = word == "end"
		return nil
	}
}
