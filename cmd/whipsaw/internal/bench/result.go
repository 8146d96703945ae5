package bench

import (
	"encoding/json"
	"io"
	"time"

	"whipsaw/cmd/whipsaw/internal/bench/fleet"
	"whipsaw/cmd/whipsaw/internal/bench/proc"
	"whipsaw/cmd/whipsaw/internal/bench/tally"
	"whipsaw/cmd/whipsaw/internal/bench/watch"
)

// Result is all that one run has measured. Times are milliseconds, memory is bytes. What was not measured is left out.
type Result struct {
	Label   string       `json:"label,omitempty"` // what was measured, as its user calls it
	Version string       `json:"bench_version"`
	When    time.Time    `json:"when"`
	Machine proc.Machine `json:"machine"`
	Work    Work         `json:"work"`

	Ingest *Ingest  `json:"ingest,omitempty"`
	Watch  *Watch   `json:"watch,omitempty"`
	Search *Search  `json:"search,omitempty"`
	Server *Server  `json:"server,omitempty"`
	Bench  Cost     `json:"bench"`
	Errors []string `json:"errors,omitempty"`
}

// Work is what the server had to do.
type Work struct {
	Publishers int     `json:"publishers"` // streams, whoever publishes them
	Viewers    int     `json:"viewers"`
	Clip       string  `json:"clip,omitempty"` // what the bench published; empty: others publish
	FrameRate  float64 `json:"frame_rate,omitempty"`
	Bitrate    int64   `json:"bitrate,omitempty"` // bit/s of media in one stream
	HTTP       string  `json:"http,omitempty"`
	VideoOnly  bool    `json:"video_only,omitempty"`
	Waiters    bool    `json:"waiters,omitempty"` // they fetched no parts
	Hints      bool    `json:"hints,omitempty"`
	Within     float64 `json:"within_ms,omitempty"` // as many viewers as could be served within it were looked for
	Seconds    float64 `json:"seconds"`             // each phase was measured for
}

// Ingest is what the publishers did while it was measured.
type Ingest struct {
	fleet.Counts
	Lost          int     `json:"lost_publishers"`
	FirstPlaylist float64 `json:"first_playlist_ms,omitempty"` // from stream 1's first frame to its first playable playlist
}

// Watch is what the viewers met with while it was measured.
type Watch struct {
	Requests    int64   `json:"requests"`
	RequestRate float64 `json:"requests_per_second"`
	Playlists   int64   `json:"playlists"`
	Parts       int64   `json:"parts"`
	Bytes       int64   `json:"bytes"`
	BitRate     float64 `json:"bits_per_second"`

	Part     Quantiles `json:"part_delay_ms"`     // last packet of a part sent -> its last byte at a viewer
	First    Quantiles `json:"first_delay_ms"`    // the same for each part's first viewer alone
	Playlist Quantiles `json:"playlist_delay_ms"` // last packet of a part sent -> the playlist that lists it at a waiting viewer
	Delivery Quantiles `json:"delivery_ms"`       // a part's last byte at its first viewer -> at the others
	Release  Quantiles `json:"release_ms"`        // last packet of a part sent -> the playlist at the last of all waiting viewers
	Taken    Quantiles `json:"taken_ms"`          // last byte of an answer received by the system -> taken by the bench
	Unmarked uint64    `json:"unmarked_parts,omitempty"`

	Stalls    int64            `json:"stalls"`
	StalledMS float64          `json:"stalled_ms"`
	Errors    map[string]int64 `json:"errors,omitempty"`
}

// Quantiles describe many delays, in milliseconds.
type Quantiles struct {
	Count uint64  `json:"count"`
	P50   float64 `json:"p50"`
	P90   float64 `json:"p90"`
	P99   float64 `json:"p99"`
	Max   float64 `json:"max"`
}

// Server is what the server process cost.
type Server struct {
	PID       int     `json:"pid"`
	IdleRSS   int64   `json:"idle_rss"`
	IdleCPU   float64 `json:"idle_cpu_ms_per_second"`
	IngestCPU float64 `json:"ingest_cpu_ms_per_second,omitempty"`
	IngestRSS int64   `json:"ingest_rss,omitempty"`
	WatchCPU  float64 `json:"watch_cpu_ms_per_second,omitempty"`
	WatchRSS  int64   `json:"watch_rss,omitempty"`

	CPUPerStream  float64 `json:"cpu_ms_per_stream_second,omitempty"`
	RSSPerStream  int64   `json:"rss_per_stream,omitempty"`
	CPUPerViewer  float64 `json:"cpu_ms_per_viewer_second,omitempty"`
	CPUPerRequest float64 `json:"cpu_us_per_request,omitempty"`
	RSSPerViewer  int64   `json:"rss_per_viewer,omitempty"` // of whom each has one request waiting a playlist

	Growth  float64  `json:"rss_growth_per_hour"` // of the line through the samples of the last phase
	Samples []Sample `json:"samples,omitempty"`
}

// Sample is the server at one moment.
type Sample struct {
	Second  float64 `json:"second"` // since the run began
	CPU     float64 `json:"cpu_ms_per_second"`
	RSS     int64   `json:"rss"`
	Threads int     `json:"threads"`
}

// Cost is what the bench itself used. Of publishing the most is SRTP: each packet has to be encrypted for each publisher.
type Cost struct {
	IngestCPU    float64 `json:"ingest_cpu_ms_per_second,omitempty"`
	WatchCPU     float64 `json:"watch_cpu_ms_per_second,omitempty"`
	CPUPerStream float64 `json:"cpu_ms_per_stream_second,omitempty"`
	CPUPerViewer float64 `json:"cpu_ms_per_viewer_second,omitempty"`
	Cores        int     `json:"cores"` // that it may use
	Share        float64 `json:"share"` // of those cores, in the phase that used most
	RSS          int64   `json:"rss"`
	Others       float64 `json:"others"` // cores that everything else on the machine used meanwhile
}

// Void reports whether the numbers are not the server's alone: the bench used over 80 % of its cores, or everything else on
// the machine over a fifth of one.
func (c Cost) Void() bool { return c.Share > maxShare || c.Others > 0.2 }

// maxShare is how much of its cores a bench may use before it is in the way of what it measures.
const maxShare = 0.8

// WriteJSON writes the result, indented.
func (r *Result) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

func quantiles(h *tally.Histogram) Quantiles {
	return Quantiles{
		Count: h.Count(), P50: ms(h.Quantile(0.5)), P90: ms(h.Quantile(0.9)), P99: ms(h.Quantile(0.99)), Max: ms(h.Max()),
	}
}

// ms is a duration in milliseconds, to the microsecond.
func ms(d time.Duration) float64 {
	return float64(d.Round(time.Microsecond)) / float64(time.Millisecond)
}

func watched(r *watch.Result, seconds float64) *Watch {
	errors := r.Errors
	if len(errors) == 0 {
		errors = nil
	}
	return &Watch{
		Requests: r.Requests, RequestRate: float64(r.Requests) / seconds, Playlists: r.Playlists, Parts: r.Parts,
		Bytes: r.Bytes, BitRate: 8 * float64(r.Bytes) / seconds,
		Part: quantiles(&r.Delays.Part), First: quantiles(&r.Delays.First), Playlist: quantiles(&r.Delays.Playlist), Delivery: quantiles(&r.Delays.Delivery),
		Release: quantiles(&r.Delays.Release), Taken: quantiles(&r.Delays.Taken), Unmarked: r.Delays.Unmarked,
		Stalls: r.Stalls, StalledMS: ms(r.Stalled), Errors: errors,
	}
}
