package doctor

import (
	"fmt"
	"strings"
	"time"

	"whipsaw/segmenter"
)

// Shares of packets from which on loss is told.
const (
	lossWarning  = 0.002
	lossError    = 0.02
	repairNotice = 0.02
	fewPackets   = 200 // below that many a share says nothing
)

// loss: packets are lost for good.
func loss(x *exam) (Finding, bool) {
	came, missing, lost := x.losses()
	share := lost / (came + lost)
	if came+lost < fewPackets || share < lossWarning {
		return Finding{}, false
	}
	f := Finding{Severity: Warning, Sentence: fmt.Sprintf("%.1f %% of the packets of the last %.0f s are lost after all repair (%.1f %% before): "+
		"pictures stand still until a keyframe, and sound has holes.", 100*share, x.span(), 100*missing/(came+lost))}
	if share >= lossError {
		f.Severity = Error
	}
	return f, true
}

// repaired: packets are lost on the way and come after all.
func repaired(x *exam) (Finding, bool) {
	came, missing, lost := x.losses()
	share := missing / (came + lost)
	if _, worse := loss(x); worse || came < fewPackets || share < repairNotice {
		return Finding{}, false
	}
	return Finding{Severity: Info, Sentence: fmt.Sprintf("%.1f %% of the packets of the last %.0f s were missing or out of order when it was their turn; nearly all came in time. "+
		"The network has little left in reserve.", 100*share, x.span())}, true
}

// losses sums over the tracks what came, was missing and was lost lately.
func (x *exam) losses() (came, missing, lost float64) {
	sum := func(of func(*segmenter.TrackStatus) int64) float64 {
		return x.grew(lossWindow, func(s *segmenter.Status) float64 {
			n := int64(0)
			if s.Video != nil {
				n += of(&s.Video.TrackStatus)
			}
			if s.Audio != nil {
				n += of(&s.Audio.TrackStatus)
			}
			return float64(n)
		})
	}
	came = sum(func(t *segmenter.TrackStatus) int64 { return t.Packets })
	missing = sum(func(t *segmenter.TrackStatus) int64 { return t.Missing })
	lost = sum(func(t *segmenter.TrackStatus) int64 { return t.Lost })
	return max(came, 1), max(missing, 0), max(lost, 0)
}

// span is how many seconds losses looked at.
func (x *exam) span() float64 { return x.now.At.Sub(x.window(lossWindow)[0].At).Seconds() }

// noReports: nothing tells how sound and pictures belong together.
func noReports(x *exam) (Finding, bool) {
	if !x.both() || x.published() < 2*patience || x.s.Video.Reports > 0 && x.s.Audio.Reports > 0 {
		return Finding{}, false
	}
	var silent []string
	if x.s.Video.Reports == 0 {
		silent = append(silent, "video")
	}
	if x.s.Audio.Reports == 0 {
		silent = append(silent, "audio")
	}
	return Finding{Severity: Warning, Sentence: fmt.Sprintf("No RTCP sender reports came for %s: sound and pictures are aligned by their arrival alone, and may be off by some ten milliseconds.",
		strings.Join(silent, " and "))}, true
}

// overflow: packets came faster than they could be taken.
func overflow(x *exam) (Finding, bool) {
	n := x.grew(restWindow, func(s *segmenter.Status) float64 { return float64(s.Overflow) })
	if n <= 0 {
		return Finding{}, false
	}
	return Finding{Severity: Error, Sentence: fmt.Sprintf("%.0f packets were dropped within a minute because the server had no room for them: it is short of CPU, or they came in a burst of over 8 MiB.", n)}, true
}

// bitrate is what all tracks have together, bit/s.
func bitrate(s *segmenter.Status) int64 {
	bits := int64(0)
	if s.Video != nil {
		bits += s.Video.Bitrate
	}
	if s.Audio != nil {
		bits += s.Audio.Bitrate
	}
	return bits
}

// excess: the publisher sends more than its stream may have, and not just for a moment.
func excess(x *exam) (Finding, bool) {
	w := x.window(excessWindow)
	if x.limits.Cap == 0 || !x.live() || x.now.At.Sub(w[0].At) < excessWindow*8/10 {
		return Finding{}, false
	}
	mean := 0.0
	for _, s := range w {
		mean += float64(bitrate(&s.Status)) / float64(len(w))
	}
	if mean <= float64(x.limits.Cap)*1.1 {
		return Finding{}, false
	}
	f := Finding{Severity: Warning, Sentence: fmt.Sprintf("The publisher sends %.1f Mbit/s, and this stream may have %.1f Mbit/s.", mean/1e6, float64(x.limits.Cap)/1e6)}
	if x.limits.CapEnds {
		f.Severity = Error
		f.Sentence += " Its sessions end after ten seconds of that."
	}
	return f, true
}

// tooFast: the bit rate is over the operator's bound.
func tooFast(x *exam) (Finding, bool) {
	bits := bitrate(x.s)
	if x.limits.MaxBitrate == 0 || bits <= x.limits.MaxBitrate {
		return Finding{}, false
	}
	return Finding{Severity: Warning, Sentence: fmt.Sprintf("The publisher sends %.1f Mbit/s, and %.1f Mbit/s is what this server's operator set as most: every viewer has to fetch all of it.",
		float64(bits)/1e6, float64(x.limits.MaxBitrate)/1e6)}, true
}

// jumps: the sender's RTP time begins anew.
func jumps(x *exam) (Finding, bool) {
	n := x.grew(restWindow, func(s *segmenter.Status) float64 {
		n := int64(0)
		if s.Video != nil {
			n += s.Video.Jumps
		}
		if s.Audio != nil {
			n += s.Audio.Jumps
		}
		return float64(n)
	})
	if n <= 0 {
		return Finding{}, false
	}
	return Finding{Severity: Warning, Sentence: fmt.Sprintf("The sender's clock jumped %.0f times within a minute: its RTP time went back, stood still for seconds, or ran ahead.", n)}, true
}

// garbage: packets that are not what they should be.
func garbage(x *exam) (Finding, bool) {
	n := x.grew(restWindow, func(s *segmenter.Status) float64 {
		n := int64(0)
		if s.Video != nil {
			n += s.Video.Garbage
		}
		if s.Audio != nil {
			n += s.Audio.Garbage
		}
		return float64(n)
	})
	if n < 10 {
		return Finding{}, false
	}
	return Finding{Severity: Warning, Sentence: fmt.Sprintf("%.0f packets within a minute could not be read as RTP or as the codec that was agreed on.", n)}, true
}

// noMedia: a session, and nothing in it.
func noMedia(x *exam) (Finding, bool) {
	v, a := x.s.Video, x.s.Audio
	if x.s.Publisher == nil || x.published() < patience || v != nil && v.Packets > 0 || a != nil && a.Packets > 0 {
		return Finding{}, false
	}
	return Finding{Severity: Error, Sentence: fmt.Sprintf("The publisher's session is %.0f s old and no media has come: its UDP packets do not reach this server.", x.published().Seconds())}, true
}

func noVideo(x *exam) (Finding, bool) {
	return x.missingTrack(x.s.Video != nil && x.s.Video.Packets == 0, x.s.Audio != nil && x.s.Audio.Packets > 0, "video")
}

func noAudio(x *exam) (Finding, bool) {
	return x.missingTrack(x.s.Audio != nil && x.s.Audio.Packets == 0, x.s.Video != nil && x.s.Video.Packets > 0, "audio")
}

func (x *exam) missingTrack(missing, other bool, name string) (Finding, bool) {
	if !missing || !other || x.published() < patience {
		return Finding{}, false
	}
	return Finding{Severity: Warning, Sentence: fmt.Sprintf("The publisher declared %s and sends none of it.", name)}, true
}

// gone: viewers see a filler and wait for the publisher.
func gone(x *exam) (Finding, bool) {
	if x.s.State != "resuming" || x.s.Publisher != nil || x.s.LastEnd == nil {
		return Finding{}, false
	}
	return Finding{Severity: Error, Sentence: fmt.Sprintf("The publisher is gone (%s) since %.0f s; viewers see its last picture until it returns or the stream ends.",
		x.s.LastEnd.Reason, max(x.now.At.Sub(x.s.LastEnd.At), 0).Round(time.Second).Seconds())}, true
}
