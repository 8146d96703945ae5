package config

import "whipsaw/segmenter"

func streamSettings(s *segmenter.Config, state *string) []Setting {
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
