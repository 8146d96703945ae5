package segmenter

import (
	"math"
	"time"
)

// Status is what a stream tells of itself, for API, metrics and pages: an immutable copy.
type Status struct {
	Name       string           `json:"name"`
	State      string           `json:"state"` // waiting, live, resuming, ended
	Generation string           `json:"generation,omitempty"`
	Started    *time.Time       `json:"started,omitempty"` // of the generation
	WHIP       string           `json:"whip"`
	HLS        string           `json:"hls"`
	Publisher  *PublisherStatus `json:"publisher,omitempty"`
	LastEnd    *End             `json:"last_end,omitempty"`
	Video      *VideoStatus     `json:"video,omitempty"`
	Audio      *AudioStatus     `json:"audio,omitempty"`

	Segments        int64 `json:"segments"` // of the generation, of its first rendition
	Parts           int64 `json:"parts"`
	Discontinuities int64 `json:"discontinuities"`
	Overflow        int64 `json:"overflow"` // packets for which there was no room
}

// PublisherStatus tells who publishes.
type PublisherStatus struct {
	Session   string    `json:"session"`
	UserAgent string    `json:"user_agent,omitempty"`
	Since     time.Time `json:"since"`
}

// End is how a publisher ended.
type End struct {
	Reason  Reason    `json:"reason"`
	At      time.Time `json:"at"`
	Session string    `json:"session"`
}

// TrackStatus are the counters of one track since its publisher came.
type TrackStatus struct {
	Codec     string `json:"codec"`
	Bitrate   int64  `json:"bitrate"` // bit/s of RTP packets in the last seconds
	Packets   int64  `json:"packets"`
	Bytes     int64  `json:"bytes"`
	Lost      int64  `json:"lost"`      // declared lost, after all repair
	Recovered int64  `json:"recovered"` // came after a NACK
	Late      int64  `json:"late"`      // came after they were delivered or given up
	Repeated  int64  `json:"duplicates"`
	Garbage   int64  `json:"garbage"` // could not be read
	Units     int64  `json:"access_units"`
	Dropped   int64  `json:"dropped_units"`
	NACKs     int64  `json:"nacks"`
	PLIs      int64  `json:"plis"`
	Jumps     int64  `json:"jumps"` // new time lines of the sender
	Reports   int64  `json:"sender_reports"`
}

// VideoStatus adds what only pictures have.
type VideoStatus struct {
	TrackStatus
	Width     int     `json:"width"`
	Height    int     `json:"height"`
	FrameRate float64 `json:"frame_rate"`
	GOP       float64 `json:"gop"`                 // seconds between the last two IDRs
	ObeysPLI  *bool   `json:"obeys_pli,omitempty"` // absent as long as it is not known
	Filler    float64 `json:"filler"`              // seconds of filler in this generation
}

// AudioStatus adds what only sound has.
type AudioStatus struct {
	TrackStatus
	Channels int     `json:"channels"`
	Silence  float64 `json:"silence"` // seconds of silence put in, in this generation
}

// Status returns the newest copy.
func (s *Stream) Status() Status { return *s.status.Load() }

// draw renews Status, if it is time or something happened.
func (s *Stream) draw(now time.Duration) {
	c := &s.channel
	old := s.status.Load()
	state := c.state(s.current.Load())
	if old != nil && now-s.drawn < statusEvery && old.State == state && (old.Publisher != nil) == (c.pub != nil) {
		return
	}
	s.drawn = now
	st := &Status{
		Name: s.name, State: state, WHIP: "/whip/" + s.name, HLS: "/hls/" + s.name + "/index.m3u8", LastEnd: c.lastEnd,
	}
	s.inbox.mu.Lock()
	st.Overflow = int64(s.inbox.full)
	s.inbox.mu.Unlock()
	if g := s.current.Load(); g != nil {
		st.Generation, st.Started = g.id, &g.started
	}
	if p := c.pub; p != nil {
		st.Publisher = &PublisherStatus{Session: p.session, UserAgent: p.userAgent, Since: c.wall(c.cameAt)}
	}
	c.fillStatus(now, st)
	s.status.Store(st)
}

func (c *channel) state(g *Generation) string {
	switch {
	case c.phase == live:
		return "live"
	case c.w != nil:
		return "resuming"
	case g != nil && g.over() && c.pub == nil:
		return "ended"
	default:
		return "waiting"
	}
}

// fillStatus adds what tracks and renditions tell.
func (c *channel) fillStatus(now time.Duration, st *Status) {
	if t := c.track(Video); t != nil {
		st.Video = &VideoStatus{TrackStatus: t.status(now, &c.meters[Video])}
		if c.conductor.answered > 0 || c.conductor.deaf() {
			obeys := !c.conductor.deaf()
			st.Video.ObeysPLI = &obeys
		}
		st.Video.GOP = round(c.conductor.gop.Seconds())
	}
	if t := c.track(Audio); t != nil {
		st.Audio = &AudioStatus{TrackStatus: t.status(now, &c.meters[Audio]), Channels: t.cfg.Channels}
		st.Audio.Codec = opusCodec
	}
	if c.w == nil {
		return
	}
	if v := c.w.video; v != nil && st.Video != nil {
		st.Video.Codec, st.Video.Width, st.Video.Height = v.info.Codec, v.info.Width, v.info.Height
		st.Video.FrameRate = round(v.frameRate())
		st.Video.Filler = round(v.time(v.filled).Seconds())
	}
	if a := c.w.audio; a != nil && st.Audio != nil {
		st.Audio.Silence = round(a.time(a.silent).Seconds())
	}
	for i, b := range c.w.builders() {
		if i == 0 {
			st.Segments, st.Discontinuities = b.open.MSN, b.breaks
		}
		st.Parts += b.parts
	}
}

func (t *Track) status(now time.Duration, m *meter) TrackStatus {
	in := &t.in
	return TrackStatus{
		Bitrate: m.rate(now, in.bytes), Packets: int64(in.packets), Bytes: int64(in.bytes), Lost: int64(in.lost),
		Recovered: int64(in.reorder.recovered), Late: int64(in.reorder.late), Repeated: int64(in.reorder.duplicates),
		Garbage: int64(in.garbage), Units: int64(in.units), Dropped: int64(in.dropped),
		NACKs: int64(in.nacks), PLIs: int64(in.plis), Jumps: int64(in.clock.jumps), Reports: int64(in.clock.reports),
	}
}

// meter measures a bit rate over the last seconds.
type meter struct {
	at    time.Duration
	bytes uint64
	bits  int64
}

// rate takes a reading of a byte counter and returns bit/s over the last second or two.
func (m *meter) rate(now time.Duration, bytes uint64) int64 {
	if bytes < m.bytes || m.at == 0 {
		*m = meter{at: now, bytes: bytes}
	}
	if d := now - m.at; d >= 2*time.Second {
		m.bits = int64(float64(bytes-m.bytes) * 8 / d.Seconds())
		m.at, m.bytes = now, bytes
	}
	return m.bits
}

func round(x float64) float64 { return math.Round(x*1000) / 1000 }
