package segmenter

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Config holds what is announced to players and must therefore never change while a stream lives, and the bounds on
// what a publisher may cost. The zero value is not usable; start from DefaultConfig.
type Config struct {
	Part       time.Duration // PART-TARGET: no part is longer
	Segment    time.Duration // where a segment is cut if the publisher gives an IDR there
	MaxSegment time.Duration // EXT-X-TARGETDURATION before rounding up; a cut is forced soon after it
	Window     time.Duration // how much playlist a live viewer sees
	Resume     time.Duration // how long a stream waits for its publisher to come back

	FirstMedia time.Duration // a publisher that sends nothing usable for so long is ended
	Silence    time.Duration // media silence after which a publisher counts as gone
	TrackWait  time.Duration // how long the first media waits for the other declared track
	Reorder    time.Duration // how long a missing packet is waited for

	OnLoss         LossPolicy // what viewers see between a loss and the next IDR
	RecoveryPoints bool       // a recovery point SEI with recovery_frame_cnt 0 on an intra picture counts as random access

	VideoOnlyVariant bool // a second variant without sound, for players that cannot play Opus

	ReferenceTimes bool // each part begins with a producer reference time box (ISO/IEC 14496-12 8.16.5)

	MaxAccessUnit int   // bytes of one access unit
	MaxBytes      int   // bytes of all that one stream keeps for players; over it the publisher is ended
	MaxTotal      int64 // the same of all streams together; over it those end that keep more than an equal share
	MaxStreams    int   // streams at the same time

	Store Store // where streams keep what they need to go on after a restart; nil: a restart ends every generation

	// Observe is told of every event, from the stream's goroutine: it must not block. Nil: nobody is.
	Observe func(Event)

	// Now is the clock; nil means time.Now. Only differences and EXT-X-PROGRAM-DATE-TIME come from it.
	Now func() time.Time
}

// LossPolicy says what viewers see between a loss and the next IDR.
type LossPolicy string

// The policies. Show is for publishers that never answer a PLI: pictures go on, with the damage that their decoder makes
// of the loss; the damaged picture itself is left out.
const (
	Freeze LossPolicy = "freeze" // nothing damaged, nor what depends on it
	Show   LossPolicy = "show"
)

// DefaultConfig returns the settings that DESIGN's numbers were chosen for.
func DefaultConfig() Config {
	return Config{
		Part: 222 * time.Millisecond, Segment: 2 * time.Second, Window: 30 * time.Second, Resume: 30 * time.Second,
		FirstMedia: 15 * time.Second, Silence: 5 * time.Second, TrackWait: 2 * time.Second, Reorder: 200 * time.Millisecond,
		OnLoss: Freeze, MaxAccessUnit: 16 << 20, MaxBytes: 512 << 20, MaxTotal: 4 << 30, MaxStreams: 1000,
	}
}

// ErrConfig is wrapped by every error of Validate.
var ErrConfig = errors.New("segmenter: bad setting")

// Validate joins an error for each setting that could not give a legal playlist.
func (c Config) Validate() error {
	var all []error
	rule := func(broken bool, format string, args ...any) {
		if broken {
			all = append(all, fmt.Errorf("%w: "+format, append([]any{ErrConfig}, args...)...))
		}
	}
	rule(c.Part < 50*time.Millisecond || c.Part > time.Second, "part %v is not between 50ms and 1s", c.Part)
	rule(c.Segment < 4*c.Part || c.Segment > 30*time.Second, "segment %v is not between four parts and 30s", c.Segment)
	rule(c.MaxSegment != 0 && (c.MaxSegment < c.Segment || c.MaxSegment > 30*time.Second), "max-segment %v is not between the segment and 30s", c.MaxSegment)
	rule(c.Window < 0 || c.Window > 10*time.Minute, "window %v is not between 0 and 10m", c.Window)
	rule(c.OnLoss != Freeze && c.OnLoss != Show, "on-loss %q is neither %s nor %s", c.OnLoss, Freeze, Show)
	rule(c.MaxAccessUnit < 64<<10, "max-access-unit %d is less than 64KiB", c.MaxAccessUnit)
	rule(c.MaxBytes < 1<<20, "max-stream-memory %d is less than 1MiB", c.MaxBytes)
	rule(c.MaxTotal < int64(c.MaxBytes), "max-memory %d is less than max-stream-memory", c.MaxTotal)
	rule(c.MaxStreams < 1, "max-streams %d is less than 1", c.MaxStreams)
	rule(c.Resume < 0 || c.Resume > 10*time.Minute, "resume %v is not between 0 and 10m", c.Resume)
	return errors.Join(all...)
}

// TargetDuration is EXT-X-TARGETDURATION in seconds (rfc8216bis 4.4.3.1).
func (c Config) TargetDuration() int {
	return int(math.Ceil(c.maxSegment().Seconds()))
}

func (c Config) maxSegment() time.Duration {
	return max(c.MaxSegment, c.Segment)
}

// skipUntil is CAN-SKIP-UNTIL: six target durations, the least that rfc8216bis 4.4.3.8 allows.
func (c Config) skipUntil() time.Duration {
	return 6 * time.Duration(c.TargetDuration()) * time.Second
}

// window is what a playlist shows: never less than what a delta update needs to skip anything.
func (c Config) window() time.Duration {
	return max(c.Window, c.skipUntil()+c.Segment)
}
