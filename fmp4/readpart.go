package fmp4

import (
	"fmt"
	"math"

	"github.com/Eyevinn/mp4ff/mp4"
)

// Fragment is one moof and mdat as read.
type Fragment struct {
	Sequence   uint32
	TrackID    uint32
	DecodeTime uint64 // of the first sample, in ticks
	Samples    []FragmentSample
	Bytes      []byte // moof and mdat
}

// FragmentSample is one sample of a Fragment.
type FragmentSample struct {
	Sample
	Flags uint32 // as in ISO/IEC 14496-12 8.8.3.1; Sync says whether sample_is_non_sync_sample is 0
	Data  []byte
}

// Duration is the sum of the samples' durations in ticks.
func (f *Fragment) Duration() uint64 {
	var d uint64
	for _, s := range f.Samples {
		d += uint64(s.Duration)
	}
	return d
}

// ParseParts reads one or several CMAF chunks one after another: a part, or a whole segment. It is strict where players
// differ (ISO/IEC 23000-19 7.3.2): one track, default-base-is-moof, tfdt there, durations and sizes said in the moof and
// not left to the init segment, and the samples one after another fill the mdat exactly. Only styp, prft, emsg and sidx
// may stand between chunks. What it returns points into b. Errors wrap ErrFormat, or ErrUnsupported for millions of
// samples.
func ParseParts(b []byte) ([]Fragment, error) {
	var fragments []Fragment
	var moof box
	start, at := 0, 0
	for child, err := range boxes(b) {
		if err != nil {
			return nil, err
		}
		at += len(child.raw)
		switch {
		case child.kind == "moof" && moof.raw == nil:
			moof, start = child, at-len(child.raw)
		case child.kind == "mdat" && moof.raw != nil:
			f, err := parseChunk(moof, child)
			if err != nil {
				return nil, err
			}
			f.Bytes = b[start:at:at]
			fragments, moof = append(fragments, f), box{}
		case moof.raw == nil && (child.kind == "styp" || child.kind == "prft" || child.kind == "emsg" || child.kind == "sidx"):
		default:
			return nil, fmt.Errorf("%w: %q out of place", ErrFormat, child.kind)
		}
	}
	if moof.raw != nil {
		return nil, fmt.Errorf("%w: moof without mdat", ErrFormat)
	}
	return fragments, nil
}

// run is the samples of one trun with what it leaves to defaults filled in.
type run struct {
	offset  int64 // of the first sample's data, from the start of the moof
	samples []mp4.Sample
}

// trackFragment is one traf.
type trackFragment struct {
	id         uint32
	base       int64 // where offsets count from if hasBase, else from the moof
	hasBase    bool
	decodeTime uint64
	hasTime    bool
	runs       []run
}

func parseChunk(moof, mdat box) (Fragment, error) {
	mfhd, err := leafAt[*mp4.MfhdBox](moof.body, "mfhd")
	if err != nil {
		return Fragment{}, err
	}
	traf, err := descend(moof.body, "traf")
	if err != nil {
		return Fragment{}, err
	}
	track, err := parseTrackFragment(traf, nil, uint64(len(mdat.body)))
	if err != nil {
		return Fragment{}, err
	}
	// ISO/IEC 23000-19 7.3.2.3: tfdt is there.
	if !track.hasTime || len(track.runs) == 0 {
		return Fragment{}, fmt.Errorf("%w: traf without tfdt or trun", ErrFormat)
	}
	f := Fragment{Sequence: mfhd.SequenceNumber, TrackID: track.id, DecodeTime: track.decodeTime}
	start := int64(len(moof.raw) + len(mdat.raw) - len(mdat.body))
	data := mdat.body
	for _, run := range track.runs {
		if run.offset != start+int64(len(mdat.body)-len(data)) {
			return Fragment{}, fmt.Errorf("%w: run at %d leaves a hole in its mdat", ErrFormat, run.offset)
		}
		for _, s := range run.samples {
			// parseTrackFragment has checked that all sizes together fit.
			f.Samples = append(f.Samples, FragmentSample{
				Sample: Sample{Duration: s.Dur, Offset: s.CompositionTimeOffset, Size: s.Size, Sync: s.Flags&0x10000 == 0},
				Flags:  s.Flags, Data: data[:s.Size:s.Size],
			})
			data = data[s.Size:]
		}
	}
	if len(data) != 0 {
		return Fragment{}, fmt.Errorf("%w: %d bytes of mdat belong to no sample", ErrFormat, len(data))
	}
	return f, nil
}

// parseTrackFragment reads one traf. Without a trex it is strict, for parts: durations and sizes have to be in the
// fragment. With one it takes what files have. The samples' sizes add up to limit at most.
func parseTrackFragment(traf box, trex *mp4.TrexBox, limit uint64) (trackFragment, error) {
	tfhd, err := leafAt[*mp4.TfhdBox](traf.body, "tfhd")
	if err != nil {
		return trackFragment{}, err
	}
	track := trackFragment{id: tfhd.TrackID}
	switch {
	case tfhd.HasBaseDataOffset() && trex != nil && tfhd.BaseDataOffset <= math.MaxInt64/2:
		track.base, track.hasBase = int64(tfhd.BaseDataOffset), true
	case tfhd.HasBaseDataOffset() || !tfhd.DefaultBaseIfMoof():
		return trackFragment{}, fmt.Errorf("%w: tfhd without default-base-is-moof", ErrFormat)
	}
	if found, ok, err := optional(traf.body, "tfdt"); err != nil {
		return trackFragment{}, err
	} else if ok {
		tfdt, err := leaf[*mp4.TfdtBox](found)
		if err != nil {
			return trackFragment{}, err
		}
		track.decodeTime, track.hasTime = tfdt.BaseMediaDecodeTime(), true
		if track.decodeTime > math.MaxInt64/2 {
			return trackFragment{}, fmt.Errorf("%w: decode time %d", ErrFormat, track.decodeTime)
		}
	}
	count := 0
	for child, err := range boxes(traf.body) {
		if err != nil {
			return trackFragment{}, err
		}
		if child.kind != "trun" {
			continue
		}
		r, size, err := parseRun(child, tfhd, trex)
		if err != nil {
			return trackFragment{}, err
		}
		if size > limit {
			return trackFragment{}, fmt.Errorf("%w: samples larger than their mdat", ErrFormat)
		}
		limit -= size
		if count += len(r.samples); count > maxSamples {
			return trackFragment{}, fmt.Errorf("%w: more than %d samples", ErrUnsupported, maxSamples)
		}
		track.runs = append(track.runs, r)
	}
	return track, nil
}

// parseRun reads one trun and returns the sum of its samples' sizes too.
func parseRun(b box, tfhd *mp4.TfhdBox, trex *mp4.TrexBox) (run, uint64, error) {
	trun, err := leaf[*mp4.TrunBox](b)
	if err != nil {
		return run{}, 0, err
	}
	flags := trun.HasSampleFlags() || tfhd.HasDefaultSampleFlags() || trex != nil
	if !trun.HasDataOffset() || trun.SampleCount() == 0 || !flags {
		return run{}, 0, fmt.Errorf("%w: trun without data offset, sample flags or samples", ErrFormat)
	}
	trun.AddSampleDefaultValues(tfhd, trex)
	var size uint64
	for _, s := range trun.Samples {
		if s.Size == 0 || s.Dur == 0 && trex == nil {
			return run{}, 0, fmt.Errorf("%w: sample with size %d and duration %d", ErrFormat, s.Size, s.Dur)
		}
		// ISO/IEC 14496-12 8.8.8: version 0 has unsigned offsets; none of ours is that large.
		if trun.Version == 0 && s.CompositionTimeOffset < 0 {
			return run{}, 0, fmt.Errorf("%w: composition offset beyond 31 bits", ErrFormat)
		}
		size += uint64(s.Size)
	}
	return run{offset: int64(trun.DataOffset), samples: trun.Samples}, size, nil
}
