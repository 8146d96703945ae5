package check

import (
	"strconv"
	"time"

	"whipsaw/fmp4"
	"whipsaw/segmenter/playlist"
)

// media is what is known of the bytes of a part or segment.
type media struct {
	have          bool
	header        *header
	lead          int // index in tracks of the one that the rendition is judged by
	tracks        []run
	firstSequence uint32
	lastSequence  uint32
	size          int
	bytes         []byte // in the strict profile, until a segment has been compared with its parts
}

// run is what a part or a segment has of one track.
type run struct {
	track      int    // index in the init segment
	start, end uint64 // decode time of its first sample, and where the next begins, in ticks
	last       uint64 // duration of its last sample
	timescale  uint32
	samples    int
	marks      []uint64 // of each sample, until a segment has been compared with its parts
}

// duration turns ticks into time.
func (r *run) duration() time.Duration { return ticks(r.end-r.start, r.timescale) }

// ticks is n ticks as time.
func ticks(n uint64, timescale uint32) time.Duration {
	scale := uint64(timescale)
	return time.Duration(n/scale)*time.Second + time.Duration(n%scale*uint64(time.Second)/scale)
}

// duration is that of the track that the rendition is judged by.
func (m *media) duration() time.Duration { return m.tracks[m.lead].duration() }

// frame is how long the last sample of that track lasts: what is off by less is off by rounding.
func (m *media) frame() time.Duration {
	r := &m.tracks[m.lead]
	return max(ticks(r.last, r.timescale), coarse(1))
}

// run is what m has of the track with that index in the init segment, nil if nothing.
func (m *media) run(track int) *run {
	for i := range m.tracks {
		if m.tracks[i].track == track {
			return &m.tracks[i]
		}
	}
	return nil
}

// takeMedia checks the bytes of a part or a segment by themselves, against their tag and against their neighbours.
func (c *Checker) takeMedia(f *findings, s *segment, at thing, init *header, data []byte) {
	place := place(at)
	f.saw(Fragments)
	fragments, err := init.movie.ReadFragments(data)
	if err != nil {
		f.add(Fragments, "%s: %v", place, err)
		return
	}
	if len(fragments) == 0 {
		f.add(Fragments, "%s is empty", place)
		return
	}
	if f.profile == Strict && !chunks(f, place, init, data) {
		return
	}
	m := collect(f, place, init, fragments)
	m.size = len(data)
	if f.profile == Strict {
		m.bytes = data
	}
	samples(f, at, init, fragments)
	if m.lead < 0 {
		f.add(Fragments, "%s has nothing of the first track", place)
		return
	}
	if at.kind == isPart {
		partTruth(f, place, &s.tag.Parts[at.index], &m, leadSamples(init, fragments))
		s.parts[at.index] = m
	} else {
		c.segmentTruth(f, place, s, &m)
		s.whole = m
		c.measure(s.msn)
		c.pictures(s, leadSamples(init, fragments))
	}
	c.neighbours(f, s, at)
	concatenation(f, s)
}

// leadSamples are all samples of the track that the rendition is judged by.
func leadSamples(init *header, fragments []fmp4.MovieFragment) []fmp4.FragmentSample {
	var all []fmp4.FragmentSample
	for i := range fragments {
		for _, t := range fragments[i].Tracks {
			if t.Track == init.lead {
				all = append(all, t.Samples...)
			}
		}
	}
	return all
}

// collect joins the fragments of one part or segment, track by track, and checks that they follow one another.
func collect(f *findings, place string, init *header, fragments []fmp4.MovieFragment) media {
	m := media{have: true, header: init, lead: -1, firstSequence: fragments[0].Sequence, lastSequence: fragments[len(fragments)-1].Sequence}
	for i := range fragments {
		if i > 0 {
			f.saw(SequenceNumber)
		}
		if i > 0 && int32(fragments[i].Sequence-fragments[i-1].Sequence) <= 0 {
			f.add(SequenceNumber, "%s: chunk %d has sequence number %d after %d", place, i, fragments[i].Sequence, fragments[i-1].Sequence)
		}
		for _, t := range fragments[i].Tracks {
			r := m.run(t.Track)
			if r == nil {
				m.tracks = append(m.tracks, run{track: t.Track, start: t.DecodeTime, end: t.DecodeTime, timescale: init.movie.Tracks[t.Track].Timescale})
				r = &m.tracks[len(m.tracks)-1]
			} else {
				sameTime(f, place+", chunk "+strconv.Itoa(i), r, t.DecodeTime, true)
			}
			r.take(&t)
		}
	}
	for i := range m.tracks {
		if m.tracks[i].track == init.lead {
			m.lead = i
		}
	}
	return m
}

// take appends the samples of a fragment.
func (r *run) take(t *fmp4.TrackFragment) {
	at := t.DecodeTime
	for i := range t.Samples {
		s := &t.Samples[i]
		r.marks = append(r.marks, mark(at, s))
		at += uint64(s.Duration)
		r.last = uint64(s.Duration)
	}
	r.samples += len(t.Samples)
	r.end = at
}

func partTruth(f *findings, place string, tag *playlist.Part, m *media, all []fmp4.FragmentSample) {
	off := (m.duration() - tag.Duration).Abs()
	f.saw(ExtInf)
	f.saw(ExtInfExact)
	if off > m.frame() {
		f.add(ExtInf, "%s has %v of media, DURATION is %v", place, m.duration(), tag.Duration)
	}
	if off > rounding(0) {
		f.add(ExtInfExact, "%s has %v of media, DURATION is %v", place, m.duration(), tag.Duration)
	}
	f.saw(IndependentExact)
	first, any := all[0].Sync, false
	for i := range all {
		any = any || all[i].Sync
	}
	if tag.Independent {
		f.saw(Independent)
		// 4.4.4.9: INDEPENDENT=YES says that there is an independent frame in it.
		if !any {
			f.add(Independent, "%s: INDEPENDENT=YES, but no sample of it is a sync sample", place)
		}
	}
	if first != tag.Independent {
		f.add(IndependentExact, "%s: INDEPENDENT is %t, its first sample is sync: %t", place, tag.Independent, first)
	}
}

// segmentTruth: 4.4.4.1: EXTINF is the length of the media.
func (c *Checker) segmentTruth(f *findings, place string, s *segment, m *media) {
	off := (m.duration() - s.tag.Duration).Abs()
	f.saw(ExtInf)
	f.saw(ExtInfExact)
	if off > m.frame() {
		f.add(ExtInf, "%s has %v of media, EXTINF is %v", place, m.duration(), s.tag.Duration)
	}
	if off > rounding(len(s.tag.Parts)) {
		f.add(ExtInfExact, "%s has %v of media, EXTINF is %v", place, m.duration(), s.tag.Duration)
	}
}
