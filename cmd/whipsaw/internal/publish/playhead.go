package publish

import (
	"math"
	"sort"
	"time"

	"whipsaw/fmp4"
)

const (
	// near is how far the file's next sync sample may be for a request to wait for it: less than a repetition is worth.
	near = 2 * time.Second
	// fresh is how long a sync sample was sent before a request that may have crossed it on the way.
	fresh = 150 * time.Millisecond
)

// unit is one sample that is due.
type unit struct {
	video bool
	index int           // of the sample in its track
	due   time.Duration // when to send it, since the start
	pts   time.Duration // what its RTP timestamp stands for, since the start
	sync  bool
}

// playhead decides what is sent next: the samples of a file in the order of their times, on one contiguous time line
// that goes on when the file begins anew or a part of it is repeated. It knows no clock and does no I/O.
//
// # Requests for a keyframe
//
// A file has keyframes only where it has them. A request (PLI) is obeyed by stepping back to the sync sample at which
// the running group of pictures began; sound steps back with the picture, and time stamps go on. So each picture of the
// file is sent at least once, in order, and what a viewer may notice is a moment shown twice, never a hole. Nothing is
// done if the file comes to its next sync sample by itself within two seconds, or passed one just now; and no group
// is repeated twice, so that somebody who asks without end cannot hold the file in one place.
type playhead struct {
	video, audio *line // nil: there is none
	loop         bool

	group    int  // sync sample at which the running group of pictures began
	repeated bool // that group has been stepped back in
	stepBack bool // to do before the next picture
	syncDue  time.Duration
	latest   time.Duration // greatest pts of a picture so far
}

// line is one track of the file and where it lies on the time line.
type line struct {
	samples []fmp4.MediaSample
	scale   int64 // ticks a second
	next    int
	offset  time.Duration // of the file's time 0 on the time line
	end     time.Duration // on the time line, of what was sent
}

// newPlayhead starts at the first sample that can be decoded. A track may be nil, but not both.
func newPlayhead(video, audio *fmp4.Track, loop bool) *playhead {
	p := &playhead{loop: loop, latest: math.MinInt64}
	start := time.Duration(math.MaxInt64)
	if video != nil && len(video.Samples) > 0 {
		p.video = newLine(video)
		p.video.next = p.video.firstSync()
		p.group = p.video.next
		start = p.video.dts(p.video.next)
	}
	if audio != nil && len(audio.Samples) > 0 {
		p.audio = newLine(audio)
		if p.video != nil {
			p.audio.next = min(p.audio.at(start), len(audio.Samples)-1)
		}
		start = min(start, p.audio.dts(p.audio.next))
	}
	for _, l := range []*line{p.video, p.audio} {
		if l != nil {
			l.offset = -start
			l.end = l.dts(l.next) - start
		}
	}
	return p
}

func newLine(t *fmp4.Track) *line { return &line{samples: t.Samples, scale: int64(t.Timescale)} }

// next returns what is to be sent next, until the end of the file, or for ever in a loop.
func (p *playhead) next() (unit, bool) {
	v, a := p.video, p.audio
	if a.left() && (v == nil || a.due() < v.turn()) {
		return p.sound(), true
	}
	if v == nil {
		if !p.loop {
			return unit{}, false
		}
		a.next, a.offset = 0, a.end-a.dts(0)
		return p.sound(), true
	}
	// All sound that belongs before the next picture is sent, so that it can follow the picture without a seam.
	switch {
	case p.stepBack:
		p.stepBack = false
		p.seek(p.group)
	case !v.left() && p.loop:
		p.group, p.repeated = v.firstSync(), false
		p.seek(p.group)
	case !v.left() && a.left():
		return p.sound(), true
	case !v.left():
		return unit{}, false
	}
	return p.picture(), true
}

func (p *playhead) sound() unit {
	a := p.audio
	u := unit{index: a.next, due: a.due(), pts: a.due(), sync: true}
	a.advance()
	return u
}

func (p *playhead) picture() unit {
	v := p.video
	s := v.samples[v.next]
	u := unit{video: true, index: v.next, due: v.due(), pts: v.offset + v.time(s.PTS), sync: s.Sync}
	if s.Sync {
		p.syncDue = u.due
		if v.next != p.group {
			p.group, p.repeated = v.next, false
		}
	}
	p.latest = max(p.latest, u.pts)
	v.advance()
	return u
}

// seek goes on with the sync sample i, right behind the pictures that were sent, and with the sound that belongs to it.
func (p *playhead) seek(i int) {
	v := p.video
	begin := v.end
	// The picture must also be shown after all that were sent before, which matters where they are reordered.
	if shown := v.time(v.samples[i].PTS - v.samples[i].DTS); begin+shown <= p.latest {
		begin = p.latest - shown + v.frame(i)
	}
	v.next, v.offset = i, begin-v.dts(i)
	if p.audio != nil {
		p.audio.follow(v.offset, v.dts(i))
	}
}

// keyframe obeys a request for a sync sample as far as it makes sense, and reports whether it stepped back.
func (p *playhead) keyframe() bool {
	v := p.video
	if v == nil || !v.left() || p.repeated || v.due()-p.syncDue < fresh {
		return false
	}
	if n := v.nextSync(); n >= 0 && v.dts(n)-v.dts(v.next) <= near {
		return false
	}
	p.repeated, p.stepBack = true, true
	return true
}

// skip lets the time line pass by for d: what is left is sent that much later, and its time stamps say so.
func (p *playhead) skip(d time.Duration) {
	for _, l := range []*line{p.video, p.audio} {
		if l != nil {
			l.offset += d
			l.end += d
		}
	}
}

func (l *line) left() bool { return l != nil && l.next < len(l.samples) }

// due is when the next sample is to be sent; there has to be one.
func (l *line) due() time.Duration { return l.offset + l.dts(l.next) }

// turn is when the next sample is to be sent, or when the one after the last would be.
func (l *line) turn() time.Duration {
	if l.left() {
		return l.due()
	}
	return l.end
}

func (l *line) advance() {
	l.end = l.offset + l.dts(l.next) + l.frame(l.next)
	l.next++
}

// follow moves sound to the time line that the picture now has, to the file's time from. Sound is not cut to the tick: a
// packet begins right where the last one ended, and stands at most half a packet away from its place.
func (l *line) follow(offset, from time.Duration) {
	l.offset = offset
	l.next = l.at(max(from, l.end-offset))
	if !l.left() {
		return
	}
	if away := l.end - l.due(); away.Abs() <= l.frame(l.next)/2 {
		l.offset += away
	}
}

// at is the first sample that begins at t in the file, give or take half its length; len(samples) if there is none.
func (l *line) at(t time.Duration) int {
	return sort.Search(len(l.samples), func(i int) bool { return l.dts(i)+l.frame(i)/2 >= t })
}

func (l *line) dts(i int) time.Duration   { return l.time(l.samples[i].DTS) }
func (l *line) frame(i int) time.Duration { return l.time(int64(l.samples[i].Duration)) }

// time turns ticks into a duration, rounded to the nearest nanosecond.
func (l *line) time(ticks int64) time.Duration {
	whole, rest := ticks/l.scale, ticks%l.scale
	return time.Duration(whole)*time.Second + time.Duration(math.Round(float64(rest)*1e9/float64(l.scale)))
}

// firstSync is the first sample that can be decoded without others; 0 if none says that it can.
func (l *line) firstSync() int {
	for i, s := range l.samples {
		if s.Sync {
			return i
		}
	}
	return 0
}

// nextSync is the next sample to come that can be decoded without others, or -1.
func (l *line) nextSync() int {
	for i := l.next; i < len(l.samples); i++ {
		if l.samples[i].Sync {
			return i
		}
	}
	return -1
}

// end is when the last of what was sent has had its time.
func (p *playhead) end() time.Duration {
	var t time.Duration
	for _, l := range []*line{p.video, p.audio} {
		if l != nil {
			t = max(t, l.end)
		}
	}
	return t
}

// resume goes on for a receiver that has seen nothing yet: with the sync sample of the running group.
func (p *playhead) resume() {
	if p.video != nil {
		p.stepBack = true
	}
}
