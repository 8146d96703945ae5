package segmenter

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"whipsaw/fmp4"
)

var errNoParameters = errors.New("segmenter: no parameter sets")

const (
	videoRate = 90000
	// firstFrame stands for the frame interval until two frames have come.
	firstFrame = videoRate / 30
)

// picture is one access unit on its way into a part.
type picture struct {
	data []byte        // AVCC; borrowed
	at   time.Duration // stream time that its RTP time stands for: of its presentation, unless stamped
	idr  bool
	// leading: it comes after a recovery point but is shown before it, and may depend on what came before that.
	leading bool

	count   int64 // picture order count since the IDR, if counted
	counted bool
	from    int64 // ticks of that IDR

	reorder int           // how many pictures may be shown after one that they precede
	stamped bool          // at is its decode time
	delay   time.Duration // with stamped: of its presentation after that, may be negative

	// With an IDR: the parameter sets it is decoded with; version tells sets apart without a look at their bytes.
	sps, pps [][]byte
	version  int
	init     []byte // set by prepare: the init segment from here on, if it is another one
}

// videoWriter gives pictures their decode times and durations and decides where parts and segments end.
//
// Within an epoch a picture's decode time is the sum of the durations before it, exactly. The last picture of a part
// gets a guessed duration when the part closes before the next picture is known; the pictures after it walk the error
// back. Time is stretched, never torn: no picture lasts longer than PART-TARGET, so that after a freeze the following
// ones are stretched until the time line has caught up, or the filler takes over.
type videoWriter struct {
	builder
	w       *writer
	order   order
	cadence cadence
	shown   int64 // latest presentation time given
	last    int64 // wanted decode time of the newest picture

	pending bool // the newest sample lasts until the next picture comes; builder.end is its decode time
	idrCut  bool // the running segment begins with an IDR
	idrNext bool // the picture that comes next is an IDR
	newNext bool // and has another init segment, so that it begins another epoch
	gop     int64
	idrAt   int64 // decode time of the newest IDR
	idrLast bool  // no other picture has come since

	idr     []byte // the newest IDR, for the filler
	filling bool   // the filler has taken over until the next IDR
	anew    bool   // what follows the filler is of another publisher
	filled  int64  // ticks of filler
	fresh   bool   // nothing before the newest IDR can be depended on

	version int // of the parameter sets that the present init was made of
	info    fmp4.VideoInfo
}

func newVideoWriter(w *writer) *videoWriter {
	return &videoWriter{builder: newBuilder(w, Video, videoRate), w: w}
}

// prepare makes the init segment of an IDR whose parameter sets are new to this rendition. Errors come from fmp4: the
// sets cannot be read.
func (v *videoWriter) prepare(p *picture) error {
	if !p.idr || p.version == v.version {
		return nil
	}
	if len(p.sps) == 0 || len(p.pps) == 0 {
		return errNoParameters
	}
	info, err := fmp4.ParseSPS(p.sps[0])
	if err != nil {
		return fmt.Errorf("segmenter: SPS: %w", err)
	}
	init, err := fmp4.H264Init(p.sps, p.pps)
	if err != nil {
		return fmt.Errorf("segmenter: init: %w", err)
	}
	v.version, v.info = p.version, info
	if len(v.inits) == 0 || !bytes.Equal(v.inits[len(v.inits)-1], init) {
		p.init = init
	}
	return nil
}

func (v *videoWriter) frame() int64 { return v.cadence.frame(firstFrame) }

// push appends a picture. It reports false if the picture cannot be shown: the filler has taken over and waits for an
// IDR. now is server time, in ticks of the stream's time line.
func (v *videoWriter) push(p picture) bool {
	if p.leading && v.fresh {
		return true // it is left out; the next ones can be shown
	}
	pts := timeToTicks(p.at, v.rate)
	if p.idr && (v.filling || p.init != nil) { // what came before says nothing about what comes now
		v.order.reset(p.reorder)
		v.last = 0
	}
	v.order.depth = max(v.order.depth, p.reorder)
	want := v.order.decode(pts, v.frame())
	if p.stamped {
		want, pts = pts, timeToTicks(p.at+p.delay, v.rate)
	}
	if v.last != 0 {
		v.cadence.add(want - v.last)
	}
	v.last = want
	if !v.filling && v.time(want-v.end) > time.Duration(v.cfg.TargetDuration())*time.Second {
		v.startFilling()
	}
	if p.idr {
		v.fresh = v.filling
	}
	if v.filling {
		if !p.idr {
			return false
		}
		v.catch(want)
	}
	v.idrNext, v.newNext = p.idr, p.init != nil
	v.settle(want)
	v.newNext = false
	if p.init != nil || v.filling {
		v.renew(p)
	}
	v.idrLast = p.idr
	if p.idr {
		v.repay(p.data, want)
		v.noteIDR(p.data)
	}
	v.place(p, pts, want)
	return true
}

// settle gives the pending picture its duration, now that the next one wants to be decoded at want.
func (v *videoWriter) settle(want int64) {
	if !v.pending {
		return
	}
	v.pending = false
	room := timeToTicks(v.cfg.Part, v.rate) - (v.end - v.partBegan)
	d := min(max(want-v.end, v.least()), room)
	v.samples[len(v.samples)-1].Duration = uint32(d)
	v.end += d
	if d == room {
		v.complete()
	}
}

// complete ends the part, whose last picture has its duration, and with it one of the first segments once that is long enough, or
// one that could not hold another part.
func (v *videoWriter) complete() {
	v.w.close(&v.builder)
	if v.opening() && cutOpening(v.cfg, v.elapsed()) || cutByForce(v.cfg, v.elapsed()+v.cfg.Part) {
		v.w.cut(&v.builder)
	}
	v.publish()
}

// place cuts where a cut is due, appends the picture, and closes its part if a picture more would not fit.
func (v *videoWriter) place(p picture, pts, want int64) {
	pts = v.keepWord(p, pts, want)
	v.cutBefore(p.idr)
	if p.idr && len(v.samples) > 0 { // every IDR begins a part (rfc8216bis 4.4.4.9, INDEPENDENT)
		v.w.close(&v.builder)
		v.publish()
	}
	if v.end == v.began {
		v.idrCut = p.idr
	}
	offset := int64(0)
	if v.order.depth > 0 || p.stamped {
		offset = pts - v.end
	}
	v.shown = max(v.shown, v.end+offset)
	frame := v.frame()
	elapsed := v.end - v.partBegan
	v.add(p.data, 0, offset, p.idr)
	v.pending = true
	// A part that is ahead of its pictures' time takes in more of them, shortened, rather than run further ahead.
	ahead := v.time(v.end - want)
	if full(v.cfg, v.time(elapsed+frame), v.time(frame)) && ahead < v.cfg.Part/2 {
		v.guess(want, frame, elapsed)
	}
}

// least is how short a picture may become, for the time line to fall back to where it should be.
func (v *videoWriter) least() int64 {
	return max(min(v.frame()/4, timeToTicks(v.cfg.Part, v.rate)/16), 1)
}

// guess ends the part with the picture just added: it lasts about a frame, minus what the time line is ahead, within
// what a part may last.
func (v *videoWriter) guess(want, frame, elapsed int64) {
	most := timeToTicks(v.cfg.Part, v.rate) - elapsed
	least := max(timeToTicks(floor(v.cfg), v.rate)-elapsed, v.least())
	d := min(max(frame-(v.end-want), least), most)
	v.samples[len(v.samples)-1].Duration = uint32(d)
	v.end += d
	v.pending = false
	v.complete()
}

// cutBefore ends the segment before a picture, if that is time, and no part that was announced gets lost by it: then the
// picture goes there, and the segment ends after it.
func (v *videoWriter) cutBefore(idr bool) {
	waited := v.owes() && !(idr && v.cfg.RecoveryPoints) && v.elapsed()+v.time(v.frame()) <= v.cfg.maxSegment()+forceFollowAfter
	if v.cuts(idr) && !waited {
		v.w.cut(&v.builder)
		v.publish()
	}
}

// cuts says whether the segment should end before a picture: a boundary has come, an IDR allows it, or it must end.
func (v *videoWriter) cuts(idr bool) bool {
	if v.end == v.began {
		return false
	}
	elapsed := v.elapsed()
	return v.w.due(&v.builder) || idr && cutAtIDR(v.cfg, elapsed, v.idrCut, v.opening()) ||
		cutByForce(v.cfg, elapsed+v.time(v.frame()))
}

func (v *videoWriter) noteIDR(data []byte) {
	v.idr = append(v.idr[:0], data...)
	if v.end > v.idrAt {
		v.gop = v.end - v.idrAt
	}
	v.idrAt = v.end
}

// renew goes on with an IDR after the filler or with a new init segment: in a new epoch, unless all is as before.
func (v *videoWriter) renew(p picture) {
	v.filling = false
	if p.init == nil && !v.anew {
		return
	}
	if p.init != nil {
		v.inits = append(v.inits, p.init)
	}
	v.anew = false
	v.w.discontinue()
	v.idrAt, v.gop = v.end, 0
	v.publish()
}

// slow reports a source whose pictures last longer than a part.
func (v *videoWriter) slow() bool { return v.frame() > timeToTicks(v.cfg.Part, v.rate) }

func (v *videoWriter) publish() {
	id, ok := v.nextPart()
	v.w.publish(&v.builder, id, ok)
	if at := v.join(); at != v.w.join {
		v.w.join = at
		v.w.announce()
	}
}
