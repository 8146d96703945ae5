package fmp4

import (
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"

	"github.com/Eyevinn/mp4ff/mp4"
)

// fileTrack is a track of a file while its index is being read.
type fileTrack struct {
	header  trackHeader
	codec   Codec
	edit    edit
	trex    *mp4.TrexBox
	samples []MediaSample
	nextDTS int64
}

// edit is an edit list that this package can follow: an optional wait, then the media from some time on.
type edit struct {
	delay int64 // ticks of the track before anything is presented
	start int64 // media time presented first
}

// fileMovie is the moov box of a file.
type fileMovie struct {
	tracks     []*fileTrack // that this package can read
	skipped    []error      // why it cannot read the others
	fragmented bool
}

func parseFileMovie(moov []byte) (fileMovie, error) {
	mvhd, err := leafAt[*mp4.MvhdBox](moov, "mvhd")
	if err != nil {
		return fileMovie{}, err
	}
	mvex, fragmented, err := optional(moov, "mvex")
	if err != nil {
		return fileMovie{}, err
	}
	m := fileMovie{fragmented: fragmented}
	seen := map[uint32]bool{}
	for child, err := range boxes(moov) {
		if err != nil {
			return fileMovie{}, err
		}
		if child.kind != "trak" {
			continue
		}
		t, err := parseFileTrack(child, mvhd.Timescale)
		if errors.Is(err, ErrUnsupported) {
			m.skipped = append(m.skipped, err)
			continue
		}
		if err != nil {
			return fileMovie{}, err
		}
		// ISO/IEC 14496-12 8.3.2.3: track IDs are unique.
		if seen[t.header.id] {
			return fileMovie{}, fmt.Errorf("%w: two tracks %d", ErrFormat, t.header.id)
		}
		seen[t.header.id] = true
		if fragmented {
			if t.trex, err = findTrex(mvex, t.header.id); err != nil {
				return fileMovie{}, err
			}
		}
		m.tracks = append(m.tracks, t)
	}
	return m, nil
}

func parseFileTrack(trak box, movieTimescale uint32) (*fileTrack, error) {
	header, err := parseTrackHeader(trak)
	if err != nil {
		return nil, err
	}
	if header.handler != "vide" && header.handler != "soun" {
		return nil, fmt.Errorf("track %d: %w: handler %q", header.id, ErrUnsupported, header.handler)
	}
	stsd, err := descend(header.stbl.body, "stsd")
	if err != nil {
		return nil, err
	}
	t := &fileTrack{header: header}
	if t.codec, err = parseSampleDescription(stsd); err != nil {
		return nil, fmt.Errorf("track %d: %w", header.id, err)
	}
	if t.edit, err = parseEdit(trak, movieTimescale, header.timescale); err != nil {
		return nil, fmt.Errorf("track %d: %w", header.id, err)
	}
	return t, nil
}

func findTrex(mvex box, id uint32) (*mp4.TrexBox, error) {
	for child, err := range boxes(mvex.body) {
		if err != nil {
			return nil, err
		}
		if child.kind != "trex" {
			continue
		}
		trex, err := leaf[*mp4.TrexBox](child)
		if err != nil {
			return nil, err
		}
		if trex.TrackID == id {
			return trex, nil
		}
	}
	return nil, fmt.Errorf("%w: no trex for track %d", ErrFormat, id)
}

// parseEdit reads an edit list (ISO/IEC 14496-12 8.6.6): empty edits, then one edit at normal speed, of which only the
// start counts. Others are cut and paste, for an editor to resolve.
func parseEdit(trak box, movieTimescale, timescale uint32) (edit, error) {
	edts, ok, err := optional(trak.body, "edts")
	if err != nil || !ok {
		return edit{}, err
	}
	elst, err := leafAt[*mp4.ElstBox](edts.body, "elst")
	if err != nil {
		return edit{}, err
	}
	var e edit
	for i, entry := range elst.Entries {
		if entry.MediaTime == -1 && i < len(elst.Entries)-1 {
			delay, ok := rescale(entry.SegmentDuration, timescale, movieTimescale)
			if !ok || e.delay+delay > maxTime {
				return edit{}, fmt.Errorf("%w: empty edit of %d", ErrFormat, entry.SegmentDuration)
			}
			e.delay += delay
			continue
		}
		if i != len(elst.Entries)-1 || entry.MediaTime < 0 || entry.MediaTime > maxTime || entry.MediaRateInteger != 1 || entry.MediaRateFraction != 0 {
			return edit{}, fmt.Errorf("%w: an edit list that cuts and pastes", ErrUnsupported)
		}
		e.start = entry.MediaTime
	}
	return e, nil
}

// maxTime bounds every time read from a file, so that sums of a few of them cannot overflow.
const maxTime = math.MaxInt64 / 8

// rescale is v * to / from, if that is a time.
func rescale(v uint64, to, from uint32) (int64, bool) {
	hi, lo := bits.Mul64(v, uint64(to))
	if from == 0 || hi >= uint64(from) {
		return 0, false
	}
	q, _ := bits.Div64(hi, lo, uint64(from))
	return int64(q), q <= maxTime
}

// applyEdit moves the samples from media time to presentation time.
func (t *fileTrack) applyEdit() {
	for i := range t.samples {
		t.samples[i].DTS += t.edit.delay - t.edit.start
		t.samples[i].PTS += t.edit.delay - t.edit.start
	}
}

// add takes one sample into the index; what it says is checked here for both kinds of file.
func (t *fileTrack) add(s MediaSample, fileSize int64) error {
	if s.Size == 0 || s.Size > maxSample || s.offset < 0 || s.offset > fileSize-int64(s.Size) {
		return fmt.Errorf("%w: sample of %d bytes at %d", ErrFormat, s.Size, s.offset)
	}
	if len(t.samples) >= maxSamples {
		return fmt.Errorf("%w: more than %d samples", ErrUnsupported, maxSamples)
	}
	if s.DTS > maxTime {
		return fmt.Errorf("%w: decode time %d", ErrFormat, s.DTS)
	}
	t.samples = append(t.samples, s)
	t.nextDTS = s.DTS + int64(s.Duration)
	return nil
}

// indexFragments takes in the samples of all moof boxes (ISO/IEC 14496-12 8.8).
func (m *fileMovie) indexFragments(r io.ReaderAt, moofs []span, size int64) error {
	if !m.fragmented {
		return nil
	}
	for _, s := range moofs {
		body, err := readBody(r, s)
		if err != nil {
			return err
		}
		for child, err := range boxes(body) {
			if err != nil {
				return err
			}
			if child.kind != "traf" {
				continue
			}
			if err := m.indexFragment(child, s.offset, size); err != nil {
				return fmt.Errorf("moof at %d: %w", s.offset, err)
			}
		}
	}
	return nil
}

func (m *fileMovie) indexFragment(traf box, moofOffset, size int64) error {
	tfhd, err := leafAt[*mp4.TfhdBox](traf.body, "tfhd")
	if err != nil {
		return err
	}
	for _, t := range m.tracks {
		if t.header.id != tfhd.TrackID {
			continue
		}
		fragment, err := parseTrackFragment(traf, t.trex, uint64(size))
		if err != nil {
			return err
		}
		if fragment.hasTime {
			t.nextDTS = int64(fragment.decodeTime)
		}
		base := moofOffset
		if fragment.hasBase {
			base = fragment.base
		}
		for _, run := range fragment.runs {
			at := base + run.offset
			for _, s := range run.samples {
				err := t.add(MediaSample{
					DTS: t.nextDTS, PTS: t.nextDTS + int64(s.CompositionTimeOffset), Duration: s.Dur, Size: s.Size,
					Sync: s.Flags&0x10000 == 0, offset: at,
				}, size)
				if err != nil {
					return err
				}
				at += int64(s.Size)
			}
		}
	}
	return nil
}
