package fmp4

import (
	"encoding/binary"
	"fmt"

	"github.com/Eyevinn/mp4ff/mp4"
)

// Init is what an init segment says.
type Init struct {
	Brands    []string // of ftyp: the major one, then the compatible ones
	TrackID   uint32
	Timescale uint32 // ticks a second
	Duration  uint64 // the greatest of movie's, track's and media's; live output has 0
	Edits     bool   // there is an edit list
	Codec
	RollDistance int // of the roll sample group (ISO/IEC 14496-12 10.1), 0 without
}

// ParseInit reads an init segment of one track as this package writes it (ISO/IEC 23000-19 7.3.1): ftyp, then moov with
// one trak and mvex, and no samples. Its slices point into b. Errors wrap ErrFormat, ErrUnsupported or ErrSPS.
func ParseInit(b []byte) (Init, error) {
	var order string
	for child, err := range boxes(b) {
		if err != nil {
			return Init{}, err
		}
		order += child.kind + " "
		if len(order) > 16 {
			break
		}
	}
	if order != "ftyp moov " {
		return Init{}, fmt.Errorf("%w: an init segment is ftyp and moov, this is %q", ErrFormat, order)
	}
	ftyp, err := descend(b, "ftyp")
	if err != nil {
		return Init{}, err
	}
	moov, err := descend(b, "moov")
	if err != nil {
		return Init{}, err
	}
	init := Init{}
	if init.Brands, err = parseBrands(ftyp); err != nil {
		return Init{}, err
	}
	if err := init.parseMovie(moov); err != nil {
		return Init{}, err
	}
	return init, nil
}

func parseBrands(ftyp box) ([]string, error) {
	n := len(ftyp.body)
	if n < 8 || n%4 != 0 || n > 1024 {
		return nil, fmt.Errorf("%w: ftyp of %d bytes", ErrFormat, n)
	}
	brands := []string{string(ftyp.body[:4])}
	for i := 8; i < n; i += 4 {
		brands = append(brands, string(ftyp.body[i:i+4]))
	}
	return brands, nil
}

func (init *Init) parseMovie(moov box) error {
	mvhd, err := leafAt[*mp4.MvhdBox](moov.body, "mvhd")
	if err != nil {
		return err
	}
	trak, err := descend(moov.body, "trak")
	if err != nil {
		return err
	}
	t, err := parseTrackHeader(trak)
	if err != nil {
		return err
	}
	// ISO/IEC 14496-12 8.8.3: every track that has fragments has a trex.
	trex, err := leafAt[*mp4.TrexBox](moov.body, "mvex", "trex")
	if err != nil {
		return err
	}
	if trex.TrackID != t.id {
		return fmt.Errorf("%w: trex is for track %d, not %d", ErrFormat, trex.TrackID, t.id)
	}
	stsd, err := descend(t.stbl.body, "stsd")
	if err != nil {
		return err
	}
	if init.Codec, err = parseSampleDescription(stsd); err != nil {
		return err
	}
	// ISO/IEC 23000-19 7.5.11 on: the sample tables of a header are there and empty.
	for _, table := range []string{"stts", "stsc", "stsz", "stco"} {
		if err := checkEmpty(t.stbl, table); err != nil {
			return err
		}
	}
	init.TrackID, init.Timescale = t.id, t.timescale
	init.Duration = max(mvhd.Duration, t.duration)
	if _, init.Edits, err = optional(trak.body, "edts"); err != nil {
		return err
	}
	return init.parseRoll(t.stbl)
}

// checkEmpty reports a sample table whose count is not 0.
func checkEmpty(stbl box, kind string) error {
	at := 4 // after version and flags
	if kind == "stsz" {
		at = 8 // after sample_size
	}
	table, err := descend(stbl.body, kind)
	if err != nil {
		return err
	}
	if len(table.body) < at+4 || binary.BigEndian.Uint32(table.body[at:]) != 0 {
		return fmt.Errorf("%w: %q of an init segment is not empty", ErrFormat, kind)
	}
	return nil
}

func (init *Init) parseRoll(stbl box) error {
	found, ok, err := optional(stbl.body, "sgpd")
	if err != nil || !ok {
		return err
	}
	// ISO/IEC 14496-12 8.9.3: the grouping type stands after version and flags.
	if len(found.body) < 8 || string(found.body[4:8]) != "roll" {
		return nil
	}
	groups, err := leaf[*mp4.SgpdBox](found)
	if err != nil {
		return err
	}
	if len(groups.SampleGroupEntries) == 1 {
		if roll, ok := groups.SampleGroupEntries[0].(*mp4.RollSampleGroupEntry); ok {
			init.RollDistance = int(roll.RollDistance)
		}
	}
	return nil
}

// trackHeader is what any track has besides its samples.
type trackHeader struct {
	id, timescale uint32
	duration      uint64 // the greater of track's and media's, whatever their time scales
	handler       string
	stbl          box
}

func parseTrackHeader(trak box) (trackHeader, error) {
	tkhd, err := leafAt[*mp4.TkhdBox](trak.body, "tkhd")
	if err != nil {
		return trackHeader{}, err
	}
	mdia, err := descend(trak.body, "mdia")
	if err != nil {
		return trackHeader{}, err
	}
	mdhd, err := leafAt[*mp4.MdhdBox](mdia.body, "mdhd")
	if err != nil {
		return trackHeader{}, err
	}
	hdlr, err := descend(mdia.body, "hdlr")
	if err != nil {
		return trackHeader{}, err
	}
	stbl, err := descend(mdia.body, "minf", "stbl")
	if err != nil {
		return trackHeader{}, err
	}
	// ISO/IEC 14496-12 8.4.2, 8.4.3: a time scale is not 0; the handler stands after version, flags and pre_defined.
	if mdhd.Timescale == 0 || len(hdlr.body) < 12 {
		return trackHeader{}, fmt.Errorf("%w: time scale %d, hdlr of %d bytes", ErrFormat, mdhd.Timescale, len(hdlr.body))
	}
	return trackHeader{
		id: tkhd.TrackID, timescale: mdhd.Timescale, duration: max(tkhd.Duration, mdhd.Duration),
		handler: string(hdlr.body[8:12]), stbl: stbl,
	}, nil
}
