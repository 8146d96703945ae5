package signaling

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pion/sdp/v3"

	"whipsaw/segmenter"
)

// StreamRules are what a stream takes of its publishers. The zero value takes all that can be served.
type StreamRules struct {
	// Codecs are those that a publisher may offer, as SDP names them, in any letter case: see Codecs. Empty: all.
	Codecs []string
	// MaxBitrate is what a publisher may send, in bit/s of all tracks together. It is told so in the answer (b=, RFC 8866
	// 5.8) and by REMB. 0: as much as it likes.
	MaxBitrate int64
	// EndExcess ends a publisher with segmenter.ReasonTooFast that has sent more than a tenth over MaxBitrate for ten
	// seconds.
	EndExcess bool
}

// Codecs lists the codecs that can be served, as SDP names them.
func Codecs() []string { return []string{"H264", "opus"} }

// codecNames are what people call them.
var codecNames = map[string]string{"h264": "H.264", "opus": "Opus"}

// rules returns what holds for a stream at the moment.
func (s *Server) rules(stream string) StreamRules {
	if s.cfg.Stream == nil {
		return StreamRules{}
	}
	return s.cfg.Stream(stream)
}

// refuse says which codec of an offer the stream does not take.
func (r StreamRules) refuse(o *offer) *problem {
	for _, s := range o.sections {
		if len(r.Codecs) == 0 || slices.ContainsFunc(r.Codecs, func(c string) bool { return strings.EqualFold(c, s.codec) }) {
			continue
		}
		var taken []string
		for _, c := range r.Codecs {
			taken = append(taken, codecName(c))
		}
		return probCodecRule.with(fmt.Sprintf("this stream is set to take %s only, and this offer has %s for %s; publish without %[3]s, or let the operator of this server allow %[2]s (setting codec)",
			strings.Join(taken, " and "), codecName(s.codec), s.kind))
	}
	return nil
}

func codecName(c string) string {
	if name, ok := codecNames[strings.ToLower(c)]; ok {
		return name
	}
	return clip(c)
}

// videoShare is what the picture may take of a bound on all tracks: what Opus needs at most, or a tenth, is left for sound.
func videoShare(o *offer, most int64) int64 {
	for _, s := range o.sections {
		if s.kind == segmenter.Audio {
			return most - min(most/10, 160_000)
		}
	}
	return most
}

// tellBound writes what the picture may take into its section of an answer: in bit/s without the overhead of transport
// (RFC 3890 6.2), and in kbit/s for those who know only that (RFC 8866 5.8).
func tellBound(o *offer, m *sdp.MediaDescription) {
	if o.most == 0 || m.MediaName.Media != "video" {
		return
	}
	most := videoShare(o, o.most)
	m.Bandwidth = append(m.Bandwidth, sdp.Bandwidth{Type: "AS", Bandwidth: uint64(max(most/1000, 1))}, sdp.Bandwidth{Type: "TIAS", Bandwidth: uint64(most)})
}

// A bound is exceeded for good when the mean of so many seconds is a tenth over it: a keyframe now and then is none.
const (
	excessEvery = time.Second
	excessSpan  = 10
)

// excess watches how much a publisher sends. The zero value has no bound.
type excess struct {
	most int64 // bit/s; 0: none
	seen [excessSpan + 1]uint64
	at   [excessSpan + 1]time.Time
	n    int
}

// look takes how many bytes have come until now, and reports whether the bound is exceeded for good.
func (e *excess) look(now time.Time, bytes uint64) bool {
	first := e.n % len(e.seen) // the oldest, or a free one
	oldest, since := e.seen[(first+1)%len(e.seen)], e.at[(first+1)%len(e.seen)]
	e.seen[first], e.at[first] = bytes, now
	e.n++
	if e.most == 0 || e.n < len(e.seen) {
		return false
	}
	return float64(bytes-oldest)*8 > float64(e.most)*1.1*now.Sub(since).Seconds()
}
