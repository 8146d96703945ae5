package fmp4

import (
	"fmt"

	"github.com/Eyevinn/mp4ff/avc"
	"github.com/Eyevinn/mp4ff/bits"
	"github.com/Eyevinn/mp4ff/mp4"
)

// H264Init makes the init segment of an H.264 track of 90 kHz with the parameter sets in avcC (ISO/IEC 14496-15
// 5.4.2.1), so that they may be left out of the samples. Each of sps and pps is a NAL unit with its header; there is at
// least one of both, and the picture size is that of the first. Errors wrap ErrSPS.
func H264Init(sps, pps [][]byte) ([]byte, error) {
	info, record, err := decoderConfiguration(sps, pps)
	if err != nil {
		return nil, err
	}
	entry := mp4.CreateVisualSampleEntryBox("avc1", uint16(info.PixelWidth), uint16(info.PixelHeight), &mp4.AvcCBox{DecConfRec: record})
	entry.CompressorName = ""
	if info.SARWidth != info.SARHeight {
		entry.AddChild(&mp4.PaspBox{HSpacing: uint32(info.SARWidth), VSpacing: uint32(info.SARHeight)})
	}
	trak := newTrak("video", VideoTimescale, entry)
	// ISO/IEC 14496-12 8.3.2.3: the track header has the size to show, as 16.16.
	trak.Tkhd.Width = mp4.Fixed32(info.Width << 16)
	trak.Tkhd.Height = mp4.Fixed32(info.Height << 16)
	return encodeInit(trak)
}

// decoderConfiguration checks parameter sets and makes an AVCDecoderConfigurationRecord of them (ISO/IEC 14496-15
// 5.3.3.1).
func decoderConfiguration(sps, pps [][]byte) (VideoInfo, avc.DecConfRec, error) {
	if len(sps) == 0 || len(sps) > 31 || len(pps) == 0 || len(pps) > 255 {
		return VideoInfo{}, avc.DecConfRec{}, fmt.Errorf("%w: %d sequence and %d picture parameter sets", ErrSPS, len(sps), len(pps))
	}
	first, err := ParseSPS(sps[0])
	if err != nil {
		return VideoInfo{}, avc.DecConfRec{}, err
	}
	record := avc.DecConfRec{
		AVCProfileIndication: first.Profile, ProfileCompatibility: first.Constraints, AVCLevelIndication: first.Level,
		SPSnalus: sps, PPSnalus: pps,
		// The library's names are wrong: the record holds bit_depth_luma_minus8 and bit_depth_chroma_minus8.
		ChromaFormat: first.ChromaFormat, BitDepthLumaMinus1: first.BitDepthLuma - 8, BitDepthChromaMinus1: first.BitDepthChroma - 8,
	}
	for _, nal := range sps[1:] {
		other, err := ParseSPS(nal)
		if err != nil {
			return VideoInfo{}, avc.DecConfRec{}, err
		}
		// ISO/IEC 14496-15 5.3.3.1.2: one profile for all, only common compatibility flags, the highest level.
		if other.Profile != first.Profile {
			return VideoInfo{}, avc.DecConfRec{}, fmt.Errorf("%w: profiles %d and %d in one track", ErrSPS, first.Profile, other.Profile)
		}
		record.ProfileCompatibility &= other.Constraints
		record.AVCLevelIndication = max(record.AVCLevelIndication, other.Level)
	}
	for _, nal := range pps {
		// H.264 7.4.1 and table 7-1: type 8 is a picture parameter set.
		if len(nal) < 2 || len(nal) > 65535 || nal[0]&0x9f != 8 {
			return VideoInfo{}, avc.DecConfRec{}, fmt.Errorf("%w: not a picture parameter set (%d bytes)", ErrSPS, len(nal))
		}
	}
	return first, record, nil
}

// opusPreSkip is 6.5 ms, the lookahead of every common encoder. It only informs: live output has no edit list.
const opusPreSkip = 312

// opusRoll says that a decoder needs four frames of 20 ms before one it starts at (Opus in ISOBMFF 4.3.6.2: 80 ms).
const opusRoll = -4

// OpusInit makes the init segment of an Opus track of 48 kHz with one or two channels ("Encapsulation of Opus in ISO
// Base Media File Format" 1.0.0). Errors wrap ErrUnsupported.
func OpusInit(channels int) ([]byte, error) {
	if channels < 1 || channels > 2 {
		return nil, fmt.Errorf("%w: Opus with %d channels", ErrUnsupported, channels)
	}
	// Opus in ISOBMFF 4.3.1, 4.3.2: version 0, mapping family 0, sample size 16, 48000 Hz whatever the source had.
	entry := mp4.CreateAudioSampleEntryBox("Opus", uint16(channels), 16, AudioTimescale,
		&mp4.DopsBox{OutputChannelCount: byte(channels), PreSkip: opusPreSkip, InputSampleRate: AudioTimescale})
	trak := newTrak("audio", AudioTimescale, entry)
	stbl := trak.Mdia.Minf.Stbl
	// Opus in ISOBMFF 4.3.6.2: the pre-roll is a sample group. Version 2 makes it the default for every sample without
	// an entry of its own (ISO/IEC 14496-12 8.9.3), so that no part has to repeat it.
	stbl.AddChild(&mp4.SgpdBox{
		Version: 2, GroupingType: "roll", DefaultLength: 2, DefaultGroupDescriptionIndex: 1,
		SampleGroupEntries: []mp4.SampleGroupEntry{&mp4.RollSampleGroupEntry{RollDistance: opusRoll}},
	})
	stbl.AddChild(&mp4.SbgpBox{GroupingType: "roll"})
	return encodeInit(trak)
}

// newTrak makes a track without samples (ISO/IEC 23000-19 7.5.1 on: durations are zero).
func newTrak(kind string, timescale uint32, entry mp4.Box) *mp4.TrakBox {
	trak := mp4.CreateEmptyTrak(trackID, timescale, kind, "und")
	trak.Mdia.Hdlr.Name = kind
	trak.Mdia.Minf.Stbl.Stsd.AddChild(entry)
	return trak
}

func encodeInit(trak *mp4.TrakBox) ([]byte, error) {
	mvhd := mp4.CreateMvhd()
	mvhd.NextTrackID = trackID + 1
	mvex := mp4.NewMvexBox()
	mvex.AddChild(mp4.CreateTrex(trackID))
	moov := mp4.NewMoovBox()
	moov.AddChild(mvhd)
	moov.AddChild(trak)
	moov.AddChild(mvex)
	init := mp4.NewMP4Init()
	// iso6 is the first brand with all that parts use (tfdt, default-base-is-moof, signed offsets); cmfc is CMAF's
	// (ISO/IEC 23000-19 7.2).
	init.AddChild(mp4.NewFtyp("iso6", 0, []string{"iso6", "cmfc"}))
	init.AddChild(moov)

	w := bits.NewFixedSliceWriter(int(init.Size()))
	if err := init.EncodeSW(w); err != nil {
		return nil, fmt.Errorf("fmp4: encode init: %w", err)
	}
	return w.Bytes(), nil
}
