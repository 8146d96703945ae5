package admin

import (
	"github.com/prometheus/client_golang/prometheus"

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
	list func() []*segmenter.Stream

	states  *prometheus.Desc
	perName []metric[segmenter.Status]
	tracks  []metric[segmenter.TrackStatus]
	video   []metric[segmenter.VideoStatus]
	audio   []metric[segmenter.AudioStatus]
}

// metric is one time series per stream (and track): a counter as Prometheus has them, back at 0 with each publisher or
// generation, or a gauge.
type metric[T any] struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	read func(*T) float64
	sum  bool // makes sense summed over streams
}

func newMetric[T any](name, help string, kind prometheus.ValueType, sum bool, read func(*T) float64, labels ...string) metric[T] {
	return metric[T]{prometheus.NewDesc("whipsaw_"+name, help, labels, nil), kind, read, sum}
}

func newStreams(list func() []*segmenter.Stream) *streams {
	return &streams{
		list:    list,
		states:  prometheus.NewDesc("whipsaw_streams", "Streams by state.", []string{"state"}, nil),
		perName: streamMetrics(), tracks: trackMetrics(), video: videoMetrics(), audio: audioMetrics(),
	}
}

func streamMetrics() []metric[segmenter.Status] {
	type S = segmenter.Status
	counter := func(name, help string, read func(*S) float64) metric[S] {
		return newMetric("stream_"+name, help, prometheus.CounterValue, true, read, "stream")
	}
	return []metric[S]{
		newMetric("stream_publishing", "1 while a publisher holds the stream.", prometheus.GaugeValue, true, func(s *S) float64 {
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
		return newMetric("track_"+name+"_total", help+" since the publisher came.", prometheus.CounterValue, true,
			func(t *T) float64 { return float64(read(t)) }, "stream", "track")
	}
	return []metric[T]{
		newMetric("track_bits_per_second", "Bit rate of the RTP packets that came lately.", prometheus.GaugeValue, true,
			func(t *T) float64 { return float64(t.Bitrate) }, "stream", "track"),
		counter("packets", "RTP packets", func(t *T) int64 { return t.Packets }),
		counter("bytes", "Bytes of RTP packets", func(t *T) int64 { return t.Bytes }),
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
		return newMetric("video_"+name, help, prometheus.GaugeValue, false, read, "stream")
	}
	return []metric[V]{
		gauge("width_pixels", "Width of the picture.", func(v *V) float64 { return float64(v.Width) }),
		gauge("height_pixels", "Height of the picture.", func(v *V) float64 { return float64(v.Height) }),
		gauge("frames_per_second", "Frame rate.", func(v *V) float64 { return v.FrameRate }),
		gauge("gop_seconds", "Time between the last two IDRs.", func(v *V) float64 { return v.GOP }),
		newMetric("video_filler_seconds_total", "Time filled with the last IDR in this generation.", prometheus.CounterValue, true,
			func(v *V) float64 { return v.Filler }, "stream"),
	}
}

func audioMetrics() []metric[segmenter.AudioStatus] {
	return []metric[segmenter.AudioStatus]{
		newMetric("audio_silence_seconds_total", "Time filled with silence in this generation.", prometheus.CounterValue, true,
			func(a *segmenter.AudioStatus) float64 { return a.Silence }, "stream"),
	}
}
