package segmenter

// queue holds what comes while a publisher's tracks are waited for: from the first IDR on, and audio beside it. Bounded
// in bytes and frames; what is older than the bound is given up first.
type queue struct {
	items    []queued
	bytes    int
	pictures int
	points   int // random access points among them
}

// queued is a picture or an Opus frame, with a copy of its bytes.
type queued struct {
	picture picture
	opus    []byte
	ticks   int64
	samples int64
}

const (
	maxQueue       = 32 << 20 // bytes
	maxQueueFrames = 1000     // 20 s of Opus frames of 20 ms
)

func (q *queue) reset() { *q = queue{items: q.items[:0]} }

// picture queues a copy. The first one must be an IDR; others wait behind it.
func (q *queue) picture(p picture, ticks int64) {
	if q.pictures == 0 && !p.idr {
		return
	}
	if p.idr {
		q.points++
	} else if p.leading && q.points == 1 {
		return
	}
	p.data = append([]byte(nil), p.data...)
	if p.idr && q.bytes+len(p.data) > maxQueue {
		q.dropPictures()
	}
	q.items = append(q.items, queued{picture: p, ticks: ticks})
	q.bytes += len(p.data)
	q.pictures++
}

func (q *queue) frame(opus []byte, ticks, samples int64) {
	if len(q.items)-q.pictures >= maxQueueFrames {
		q.dropFrames()
	}
	q.items = append(q.items, queued{opus: append([]byte(nil), opus...), ticks: ticks, samples: samples})
	q.bytes += len(opus)
}

// full says that waiting longer would cost too much.
func (q *queue) full() bool { return q.bytes > maxQueue }

// sinceLastIDR drops the pictures before the last IDR, which it returns. There must be one.
func (q *queue) sinceLastIDR() *queued {
	last := 0
	for i, x := range q.items {
		if x.opus == nil && x.picture.idr {
			last = i
		}
	}
	kept := q.items[:0]
	for i, x := range q.items {
		if i == last || x.opus != nil || i > last && !x.picture.leading {
			kept = append(kept, x)
		}
	}
	q.items = kept
	pic, _ := q.first()
	return pic
}

func (q *queue) dropPictures() {
	kept := q.items[:0]
	for _, i := range q.items {
		if i.opus != nil {
			kept = append(kept, i)
		} else {
			q.bytes -= len(i.picture.data)
		}
	}
	q.items, q.pictures, q.points = kept, 0, 0
}

// dropFrames gives up the older half of the audio frames.
func (q *queue) dropFrames() {
	kept, drop := q.items[:0], maxQueueFrames/2
	for _, i := range q.items {
		if i.opus != nil && drop > 0 {
			drop--
			q.bytes -= len(i.opus)
			continue
		}
		kept = append(kept, i)
	}
	q.items = kept
}

// first returns the first picture and the first frame queued; nil where there is none.
func (q *queue) first() (picture, frame *queued) {
	for i := range q.items {
		if q.items[i].opus == nil && picture == nil {
			picture = &q.items[i]
		}
		if q.items[i].opus != nil && frame == nil {
			frame = &q.items[i]
		}
	}
	return picture, frame
}
