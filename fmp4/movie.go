package fmp4

import (
	"encoding/binary"
	"fmt"

	"github.com/Eyevinn/mp4ff/mp4"
)

// maxTracks bounds the tracks of a Movie.
const maxTracks = 32

// Movie is an init segment of any packager, with one or several tracks of any codec.
type Movie struct {
	Tracks []MovieTrack
}

// MovieTrack is what is known of a track of any codec.
type MovieTrack struct {
	ID, Timescale uint32
	Handler       string   // "vide", "soun", ...
	Format        string   // type of the sample entry: "avc1", "hvc1", "mp4a", "Opus"
	Codec         string   // RFC 6381 in full for H.264, else Format
	SPS           [][]byte // of H.264
	Width, Height int      // of the decoded picture
	Channels      int      // of sound

	trex *mp4.TrexBox
}

// ReadMovie reads an init segment as other packagers write it: ftyp may be missing, moov has tracks with mvex (ISO/IEC
// 14496-12 8.8.1), anything else may stand beside. What it returns points into b. Errors wrap ErrFormat or
// ErrUnsupported.
func ReadMovie(b []byte) (Movie, error) {
	moov, err := descend(b, "moov")
	if err != nil {
		return Movie{}, err
	}
	mvex, err := descend(moov.body, "mvex")
	if err != nil {
		return Movie{}, err
	}
	var m Movie
	for child, err := range boxes(moov.body) {
		if err != nil {
			return Movie{}, err
		}
		if child.kind != "trak" {
			continue
		}
		t, err := readTrack(child, mvex)
		if err != nil {
			return Movie{}, err
		}
		if m.track(t.ID) >= 0 || len(m.Tracks) == maxTracks {
			return Movie{}, fmt.Errorf("%w: track %d twice, or more than %d tracks", ErrFormat, t.ID, maxTracks)
		}
		m.Tracks = append(m.Tracks, t)
	}
	if len(m.Tracks) == 0 {
		return Movie{}, fmt.Errorf("%w: no track", ErrFormat)
	}
	return m, nil
}

// track is the index of the track with that ID, -1 without one.
func (m *Movie) track(id uint32) int {
	for i := range m.Tracks {
		if m.Tracks[i].ID == id {
			return i
		}
	}
	return -1
}

func readTrack(trak, mvex box) (MovieTrack, error) {
	header, err := parseTrackHeader(trak)
	if err != nil {
		return MovieTrack{}, err
	}
	trex, err := findTrex(mvex, header.id)
	if err != nil {
		return MovieTrack{}, err
	}
	stsd, err := descend(header.stbl.body, "stsd")
	if err != nil {
		return MovieTrack{}, err
	}
	// ISO/IEC 14496-12 8.5.2: version, flags and a count, then sample entries. The first one names the codec.
	const fullBoxAndCount = 8
	if len(stsd.body) < fullBoxAndCount {
		return MovieTrack{}, fmt.Errorf("%w: stsd of %d bytes", ErrFormat, len(stsd.body))
	}
	entry, err := firstBox(stsd.body[fullBoxAndCount:])
	if err != nil {
		return MovieTrack{}, err
	}
	t := MovieTrack{ID: header.id, Timescale: header.timescale, Handler: header.handler, Format: entry.kind, Codec: entry.kind, trex: trex}
	return t, t.readEntry(entry)
}

// readEntry takes what a sample entry says (ISO/IEC 14496-12 12.1.3, 12.2.3).
func (t *MovieTrack) readEntry(entry box) error {
	switch {
	case entry.kind == "avc1" || entry.kind == "avc3":
		codec, err := parseAVC(entry)
		if err != nil {
			return err
		}
		t.Codec, t.SPS, t.Width, t.Height = entry.kind+codec.Name[len("avc1"):], codec.SPS, codec.Width, codec.Height
	case t.Handler == "vide" && len(entry.body) >= 28:
		t.Width, t.Height = int(binary.BigEndian.Uint16(entry.body[24:])), int(binary.BigEndian.Uint16(entry.body[26:]))
	case t.Handler == "soun" && len(entry.body) >= 18:
		t.Channels = int(binary.BigEndian.Uint16(entry.body[16:]))
	case t.Handler == "vide" || t.Handler == "soun":
		return fmt.Errorf("%w: %q of %d bytes", ErrFormat, entry.kind, len(entry.body))
	}
	return nil
}

// MovieFragment is one moof of any packager with the samples that it describes.
type MovieFragment struct {
	Sequence uint32
	Tracks   []TrackFragment
}

// TrackFragment is what a MovieFragment has of one track.
type TrackFragment struct {
	Track      int    // index in Movie.Tracks
	DecodeTime uint64 // of the first sample, in ticks
	Samples    []FragmentSample
}

// Duration is the sum of the samples' durations in ticks.
func (t *TrackFragment) Duration() uint64 {
	f := Fragment{Samples: t.Samples}
	return f.Duration()
}

// maxFragmentSamples bounds the samples of all that one ReadFragments reads: an hour at 60 a second.
const maxFragmentSamples = 1 << 18

// ReadFragments reads a part or a segment that goes with m: one or several moofs, each with tfdt, and with offsets from
// its own beginning on (rfc8216bis 3.1.2 on, ISO/IEC 14496-12 8.8.12). What is none of moof and mdat is passed over.
// What it returns points into b. Errors wrap ErrFormat, or ErrUnsupported for more samples than a segment can have.
func (m *Movie) ReadFragments(b []byte) ([]MovieFragment, error) {
	var fragments []MovieFragment
	count, end := 0, 0
	for child, err := range boxes(b) {
		if err != nil {
			return nil, err
		}
		at := end
		end += len(child.raw)
		if child.kind != "moof" {
			continue
		}
		f, err := m.readFragment(b, at, child)
		if err != nil {
			return nil, err
		}
		for i := range f.Tracks {
			count += len(f.Tracks[i].Samples)
		}
		if count > maxFragmentSamples {
			return nil, fmt.Errorf("%w: more than %d samples", ErrUnsupported, maxFragmentSamples)
		}
		fragments = append(fragments, f)
	}
	return fragments, nil
}

func (m *Movie) readFragment(b []byte, at int, moof box) (MovieFragment, error) {
	mfhd, err := leafAt[*mp4.MfhdBox](moof.body, "mfhd")
	if err != nil {
		return MovieFragment{}, err
	}
	f := MovieFragment{Sequence: mfhd.SequenceNumber}
	for child, err := range boxes(moof.body) {
		if err != nil {
			return MovieFragment{}, err
		}
		if child.kind != "traf" {
			continue
		}
		t, err := m.readTrackFragment(b, at, child)
		if err != nil {
			return MovieFragment{}, err
		}
		f.Tracks = append(f.Tracks, t)
	}
	if len(f.Tracks) == 0 {
		return MovieFragment{}, fmt.Errorf("%w: moof without traf", ErrFormat)
	}
	return f, nil
}

func (m *Movie) readTrackFragment(b []byte, moof int, traf box) (TrackFragment, error) {
	tfhd, err := leafAt[*mp4.TfhdBox](traf.body, "tfhd")
	if err != nil {
		return TrackFragment{}, err
	}
	t := TrackFragment{Track: m.track(tfhd.TrackID)}
	if t.Track < 0 {
		return TrackFragment{}, fmt.Errorf("%w: the init segment has no track %d", ErrFormat, tfhd.TrackID)
	}
	fragment, err := parseTrackFragment(traf, m.Tracks[t.Track].trex, uint64(len(b)))
	if err != nil {
		return TrackFragment{}, err
	}
	if !fragment.hasTime || len(fragment.runs) == 0 || fragment.hasBase {
		return TrackFragment{}, fmt.Errorf("%w: traf without tfdt or trun, or with base-data-offset", ErrFormat)
	}
	t.DecodeTime = fragment.decodeTime
	for _, run := range fragment.runs {
		from := int64(moof) + run.offset
		for _, s := range run.samples {
			to := from + int64(s.Size)
			if from < 0 || to > int64(len(b)) {
				return TrackFragment{}, fmt.Errorf("%w: sample of %d bytes at %d of %d", ErrFormat, s.Size, from, len(b))
			}
			t.Samples = append(t.Samples, FragmentSample{
				Sample: Sample{Duration: s.Dur, Offset: s.CompositionTimeOffset, Size: s.Size, Sync: s.Flags&0x10000 == 0},
				Flags:  s.Flags, Data: b[from:to:to],
			})
			from = to
		}
	}
	return t, nil
}
