package admin

import (
	"whipsaw/cmd/whipsaw/internal/metrics"
	"whipsaw/segmenter"
)

// maxLabelled bounds how many streams have their own label, whatever publishers call themselves; the rest is summed
// under otherStreams, which is no stream's name.
const (
	maxLabelled  = 100
	otherStreams = "(others)"
)

// streams collects all metrics of streams from their statuses at the time of a scrape.
type streams struct {
	from Sources

	states  *metrics.Desc
	kept    *metrics.Desc
	keep    *metrics.Desc
	publish *metrics.Desc
	watch   *metrics.Desc
	lines   *metrics.Desc
	finding *metrics.Desc
	delay   *metrics.Desc
	sizes   *metrics.Desc
	buffer  *metrics.Desc
	latency *metrics.Desc
	stalls  *metrics.Desc
	perName []metric[segmenter.Status]
	tracks  []metric[segmenter.TrackStatus]
	video   []metric[segmenter.VideoStatus]
	audio   []metric[segmenter.AudioStatus]
}

// metric is one time series per stream (and track): a counter as Prometheus has them, back at 0 with each publisher or
// generation, or a gauge.
type metric[T any] struct {
	desc *metrics.Desc
	read func(*T) float64
	sum  bool // makes sense summed over streams
}

func newMetric[T any](name, help string, kind metrics.Kind, sum bool, read func(*T) float64, labels ...string) metric[T] {
	return metric[T]{metrics.New(kind, "whipsaw_"+name, help, labels...), read, sum}
}

func newStreams(from Sources) *streams {
	of := func(kind metrics.Kind, name, help string, labels ...string) *metrics.Desc {
		return metrics.New(kind, "whipsaw_"+name, help, labels...)
	}
	return &streams{
		from:    from,
		states:  of(metrics.Gauge, "streams", "Streams by state.", "state"),
		kept:    of(metrics.Gauge, "kept_bytes", "What all streams keep for their viewers. At nine tenths of the bound nobody new is taken, over it the largest stream ends."),
		keep:    of(metrics.Gauge, "kept_max_bytes", "The bound of that, --max-memory."),
		publish: of(metrics.Gauge, "publishers", "Publishers by what viewers see of them: live, or starting and nothing yet.", "state"),
		watch:   of(metrics.Gauge, "stream_players", "Estimate of the players that asked for playlists in the last 10 to 15 seconds; a cache in front counts as one.", "stream"),
		lines:   of(metrics.Gauge, "stream_player_connections", "Estimate of the connections of those players.", "stream"),
		finding: of(metrics.Gauge, "stream_finding", "1 while something is found wrong with what a publisher sends.", "finding", "stream"),
		delay: of(metrics.Histogram, "stream_delay_seconds", "What the server adds: from the last packet of a part to the part's publication, of the parts of this generation.",
			"stream"),
		buffer:  of(metrics.Histogram, "playback_buffer_seconds", "What players had buffered, as they tell themselves (CMCD).", "stream"),
		latency: of(metrics.Histogram, "playback_latency_seconds", "How far players are behind, as they tell themselves (CMCD version 2).", "stream"),
		stalls:  of(metrics.Counter, "playback_stalls_total", "Requests of players that told of an empty buffer (CMCD).", "stream"),
		sizes:   of(metrics.Histogram, "track_part_bytes", "Sizes of the parts of this generation.", "stream", "track"),
		perName: streamMetrics(), tracks: trackMetrics(), video: videoMetrics(), audio: audioMetrics(),
	}
}

func streamMetrics() []metric[segmenter.Status] {
	type S = segmenter.Status
	counter := func(name, help string, read func(*S) float64) metric[S] {
		return newMetric("stream_"+name, help, metrics.Counter, true, read, "stream")
	}
	return []metric[S]{
		newMetric("stream_publishing", "1 while a publisher holds the stream.", metrics.Gauge, true, func(s *S) float64 {
			if s.Publisher != nil {
				return 1
			}
			return 0
		}, "stream"),
		counter("segments_total", "Segments of this generation.", func(s *S) float64 { return float64(s.Segments) }),
		counter("parts_total", "Parts of this generation.", func(s *S) float64 { return float64(s.Parts) }),
		counter("discontinuities_total", "Discontinuities of this generation.", func(s *S) float64 { return float64(s.Discontinuities) }),
		counter("overflow_packets_total", "Packets for which the inbox had no room.", func(s *S) float64 { return float64(s.Overflow) }),
	}
}

func trackMetrics() []metric[segmenter.TrackStatus] {
	type T = segmenter.TrackStatus
	counter := func(name, help string, read func(*T) int64) metric[T] {
		return newMetric("track_"+name+"_total", help+" since the publisher came.", metrics.Counter, true,
			func(t *T) float64 { return float64(read(t)) }, "stream", "track")
	}
	return []metric[T]{
		newMetric("track_bytes_per_second", "Rate of the RTP packets that came lately.", metrics.Gauge, true,
			func(t *T) float64 { return float64(t.Bitrate) / 8 }, "stream", "track"),
		counter("packets", "RTP packets", func(t *T) int64 { return t.Packets }),
		counter("bytes", "Bytes of RTP packets", func(t *T) int64 { return t.Bytes }),
		counter("packets_missing", "Packets that were not there when it was their turn: loss before repair", func(t *T) int64 { return t.Missing }),
		counter("packets_reordered", "Missing packets that came in time after all, by themselves or by repair", func(t *T) int64 { return t.Reordered }),
		counter("clock_jumps", "New time lines of the sender", func(t *T) int64 { return t.Jumps }),
		counter("packets_lost", "Packets that never came", func(t *T) int64 { return t.Lost }),
		counter("packets_recovered", "Packets that came after a NACK", func(t *T) int64 { return t.Recovered }),
		counter("packets_late", "Packets that came too late", func(t *T) int64 { return t.Late }),
		counter("packets_repeated", "Packets that came twice", func(t *T) int64 { return t.Repeated }),
		counter("packets_garbage", "Packets that could not be read", func(t *T) int64 { return t.Garbage }),
		counter("units", "Access units", func(t *T) int64 { return t.Units }),
		counter("units_dropped", "Access units that were damaged, or depended on one that was", func(t *T) int64 { return t.Dropped }),
		counter("nacks", "Packets that were asked for", func(t *T) int64 { return t.NACKs }),
		counter("plis", "Keyframes that were asked for", func(t *T) int64 { return t.PLIs }),
		counter("sender_reports", "RTCP sender reports", func(t *T) int64 { return t.Reports }),
	}
}

func videoMetrics() []metric[segmenter.VideoStatus] {
	type V = segmenter.VideoStatus
	gauge := func(name, help string, read func(*V) float64) metric[V] {
		return newMetric("video_"+name, help, metrics.Gauge, false, read, "stream")
	}
	return []metric[V]{
		gauge("width_pixels", "Width of the picture.", func(v *V) float64 { return float64(v.Width) }),
		gauge("height_pixels", "Height of the picture.", func(v *V) float64 { return float64(v.Height) }),
		gauge("frames_per_second", "Frame rate.", func(v *V) float64 { return v.FrameRate }),
		gauge("gop_seconds", "Time between the last two IDRs.", func(v *V) float64 { return v.GOP }),
		gauge("keyframe_age_seconds", "Time since the newest IDR.", func(v *V) float64 { return v.KeyframeAge }),
		gauge("av_offset_seconds", "How far pictures still are from where the sender reports put them beside the sound.", func(v *V) float64 { return v.AVOffset }),
		gauge("reordered_pictures", "How many pictures are shown after one that they came before, at most; 0 without B-frames.", func(v *V) float64 { return float64(v.Reordering) }),
		newMetric("video_withheld", "1 while pictures come and wait for a keyframe to be shown.", metrics.Gauge, true, func(v *V) float64 {
			if v.Withheld {
				return 1
			}
			return 0
		}, "stream"),
		newMetric("video_filler_seconds_total", "Time filled with the last IDR in this generation.", metrics.Counter, true,
			func(v *V) float64 { return v.Filler }, "stream"),
	}
}

func audioMetrics() []metric[segmenter.AudioStatus] {
	return []metric[segmenter.AudioStatus]{
		newMetric("audio_stereo_units_total", "Access units coded in stereo since the publisher came.", metrics.Counter, true,
			func(a *segmenter.AudioStatus) float64 { return float64(a.Stereo) }, "stream"),
		newMetric("audio_silence_seconds_total", "Time filled with silence in this generation.", metrics.Counter, true,
			func(a *segmenter.AudioStatus) float64 { return a.Silence }, "stream"),
	}
}
