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

	// Delay is what the server added, seconds: from the last packet that a part needed to the part's publication, of the
	// parts of the generation. A wait for the repair of a loss is none of it.
	Delay *Histogram `json:"delay,omitempty"`
}

// PublisherStatus tells who publishes.
type PublisherStatus struct {
	Session   string    `json:"session"`
	UserAgent string    `json:"user_agent,omitempty"`
	Origin    string    `json:"origin,omitempty"` // PublisherConfig.Origin
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
	Missing   int64  `json:"missing"`   // were not there when it was their turn
	Reordered int64  `json:"reordered"` // missing ones that came in time after all, by themselves or by repair
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

	PartBytes *Histogram `json:"part_bytes,omitempty"` // sizes of the parts of the generation

	// ClockOffset is server time minus media time of the packet that was least delayed in the last seconds. Its value says
	// nothing, its change is how far the sender's clock drifts from the server's.
	ClockOffset time.Duration `json:"-"`
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

	KeyframeAge float64 `json:"keyframe_age"` // seconds since the newest IDR
	Withheld    bool    `json:"withheld"`     // pictures are not shown until the next IDR
	Reordering  int     `json:"reordering"`   // pictures that were seen to be shown after one that they came before; 0: no B-frames
	AVOffset    float64 `json:"av_offset"`    // seconds that pictures are still from where the sender reports put them beside the sound
}

// AudioStatus adds what only sound has.
type AudioStatus struct {
	TrackStatus
	Channels int     `json:"channels"`
	Silence  float64 `json:"silence"`       // seconds of silence put in, in this generation
	Stereo   int64   `json:"stereo_frames"` // access units coded in stereo (RFC 6716 3.1)
	Frame    float64 `json:"frame"`         // seconds that the newest frame lasts; 0 before any
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
		st.Publisher = &PublisherStatus{Session: p.session, UserAgent: p.userAgent, Origin: p.origin, Since: c.wall(c.cameAt)}
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
		st.Video.Withheld, st.Video.Reordering = t.in.damaged, t.in.stamps.depth
		if c.conductor.seen && c.phase == live {
			st.Video.KeyframeAge = round(max(now+c.lead-c.conductor.lastIDR, 0).Seconds())
			st.Video.AVOffset = round(c.line.off().Seconds())
		}
	}
	if t := c.track(Audio); t != nil {
		st.Audio = &AudioStatus{TrackStatus: t.status(now, &c.meters[Audio]), Channels: t.cfg.Channels}
		st.Audio.Codec, st.Audio.Stereo = opusCodec, int64(t.in.stereo)
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
		st.Audio.Frame = a.time(a.last).Seconds()
	}
	st.Delay = c.w.delay.copied()
	for i, b := range c.w.builders() {
		if t := st.track(b.kind); t != nil {
			t.PartBytes = c.w.sizes[b.kind].copied()
		}
		if i == 0 {
			st.Segments, st.Discontinuities = b.open.MSN, b.breaks
		}
		st.Parts += b.parts
	}
}

func (st *Status) track(k Kind) *TrackStatus {
	switch {
	case k == Video && st.Video != nil:
		return &st.Video.TrackStatus
	case k == Audio && st.Audio != nil:
		return &st.Audio.TrackStatus
	}
	return nil
}

// off is how far video is from where the sender reports want it.
func (l *timeline) off() time.Duration {
	v, a := l.clocks[Video], l.clocks[Audio]
	if l.master != Audio || v == nil || a == nil || !v.started || !a.started {
		return 0
	}
	return l.shift[Audio] + l.skew(Video, Audio) - l.shift[Video]
}

// gauges measure what a generation's parts are like.
type gauges struct {
	delay Histogram
	sizes [2]Histogram
}

func newGauges() gauges {
	return gauges{delay: newHistogram(delayBounds), sizes: [2]Histogram{newHistogram(sizeBounds), newHistogram(sizeBounds)}}
}

// maxMade bounds the parts that one packet can end, as far as they are measured.
const maxMade = 16

// note measures a part that was just made.
func (w *writer) note(b *builder, bytes int64) {
	w.sizes[b.kind].observe(float64(bytes))
	if len(w.made) < maxMade {
		w.made = append(w.made, b.came)
	}
}

// measure notes how long the parts took that the entry before brought about; now is asked only if there are any. Without
// now it forgets them: what time alone brings about has no last packet.
func (c *channel) measure(now func() time.Duration) {
	if c.w == nil || len(c.w.made) == 0 {
		return
	}
	if now != nil {
		at := now()
		for _, came := range c.w.made {
			c.w.delay.observe(max(at-came, 0).Seconds())
		}
	}
	c.w.made = c.w.made[:0]
}

func (t *Track) status(now time.Duration, m *meter) TrackStatus {
	in := &t.in
	return TrackStatus{
		Bitrate: m.rate(now, in.bytes), Packets: int64(in.packets), Bytes: int64(in.bytes), Lost: int64(in.lost),
		Missing: int64(in.reorder.missing), Reordered: int64(in.reorder.reordered), ClockOffset: in.clock.offset(),
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
