package segmenter

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Config holds what streams go by, and the bounds on what a publisher may cost. The zero value is not usable; start from
// DefaultConfig.
type Config struct {
	StreamConfig // of streams that Stream says nothing else of

	// Stream returns what a stream goes by. It is asked when the stream opens and before each generation, never within one;
	// it must not block, and what it returns must be valid. Nil: all go by StreamConfig.
	Stream func(name string) StreamConfig

	FirstMedia time.Duration // a publisher that sends nothing usable for so long is ended
	Silence    time.Duration // media silence after which a publisher counts as gone
	TrackWait  time.Duration // how long the first media waits for the other declared track
	Reorder    time.Duration // how long a missing packet is waited for

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

// StreamConfig holds what streams may have different. What of it is announced to players never changes within a generation.
type StreamConfig struct {
	Part       time.Duration // PART-TARGET: no part is longer
	Segment    time.Duration // where a segment is cut if the publisher gives an IDR there
	MaxSegment time.Duration // EXT-X-TARGETDURATION before rounding up; a cut is forced soon after it
	Window     time.Duration // how much playlist a live viewer sees
	Resume     time.Duration // how long a stream waits for its publisher to come back

	OnLoss         LossPolicy // what viewers see between a loss and the next IDR
	RecoveryPoints bool       // a recovery point SEI with recovery_frame_cnt 0 on an intra picture counts as random access

	VideoOnlyVariant bool // a second variant without sound, for players that cannot play Opus

	ReferenceTimes bool // each part begins with a producer reference time box (ISO/IEC 14496-12 8.16.5)
}

// of returns what one stream goes by at the moment.
func (c *Config) of(stream string) *Config {
	if c.Stream == nil {
		return c
	}
	own := *c
	own.StreamConfig = c.Stream(stream)
	return &own
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
		StreamConfig: StreamConfig{
			Part: 222 * time.Millisecond, Segment: 2 * time.Second, Window: 30 * time.Second, Resume: 30 * time.Second, OnLoss: Freeze,
		},
		FirstMedia: 15 * time.Second, Silence: 5 * time.Second, TrackWait: 2 * time.Second, Reorder: 200 * time.Millisecond,
		MaxAccessUnit: 16 << 20, MaxBytes: 512 << 20, MaxTotal: 4 << 30, MaxStreams: 1000,
	}
}

// ErrConfig is wrapped by every error of Validate.
var ErrConfig = errors.New("segmenter: bad setting")

// Validate joins an error for each setting that could not give a legal playlist.
func (c StreamConfig) Validate() error {
	var r rules
	c.rules(&r)
	return errors.Join(r...)
}

// Validate joins an error for each setting that could not give a legal playlist, or bounds nothing.
func (c Config) Validate() error {
	var r rules
	c.rules(&r)
	r.add(c.MaxAccessUnit < 64<<10, "max-access-unit %d is less than 64KiB", c.MaxAccessUnit)
	r.add(c.MaxBytes < 1<<20, "max-stream-memory %d is less than 1MiB", c.MaxBytes)
	r.add(c.MaxTotal < int64(c.MaxBytes), "max-memory %d is less than max-stream-memory", c.MaxTotal)
	r.add(c.MaxStreams < 1, "max-streams %d is less than 1", c.MaxStreams)
	return errors.Join(r...)
}

// rules collects which rules are broken.
type rules []error

func (r *rules) add(broken bool, format string, args ...any) {
	if broken {
		*r = append(*r, fmt.Errorf("%w: "+format, append([]any{ErrConfig}, args...)...))
	}
}

func (c StreamConfig) rules(r *rules) {
	r.add(c.Part < 50*time.Millisecond || c.Part > time.Second, "part %v is not between 50ms and 1s", c.Part)
	r.add(c.Segment < 4*c.Part || c.Segment > 30*time.Second, "segment %v is not between four parts and 30s", c.Segment)
	r.add(c.MaxSegment != 0 && (c.MaxSegment < c.Segment || c.MaxSegment > 30*time.Second), "max-segment %v is not between the segment and 30s", c.MaxSegment)
	r.add(c.Window < 0 || c.Window > 10*time.Minute, "window %v is not between 0 and 10m", c.Window)
	r.add(c.OnLoss != Freeze && c.OnLoss != Show, "on-loss %q is neither %s nor %s", c.OnLoss, Freeze, Show)
	r.add(c.Resume < 0 || c.Resume > 10*time.Minute, "resume %v is not between 0 and 10m", c.Resume)
}

// TargetDuration is EXT-X-TARGETDURATION in seconds (rfc8216bis 4.4.3.1).
func (c StreamConfig) TargetDuration() int {
	return int(math.Ceil(c.maxSegment().Seconds()))
}

func (c StreamConfig) maxSegment() time.Duration {
	return max(c.MaxSegment, c.Segment)
}

// skipUntil is CAN-SKIP-UNTIL: six target durations, the least that rfc8216bis 4.4.3.8 allows.
func (c StreamConfig) skipUntil() time.Duration {
	return 6 * time.Duration(c.TargetDuration()) * time.Second
}

// window is what a playlist shows: never less than what a delta update needs to skip anything.
func (c StreamConfig) window() time.Duration {
	return max(c.Window, c.skipUntil()+c.Segment)
}
