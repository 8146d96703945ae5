package fmp4

import (
	"encoding/binary"
	"fmt"

	"github.com/Eyevinn/mp4ff/avc"
	"github.com/Eyevinn/mp4ff/mp4"
)

// Codec describes the samples of a track that was read.
type Codec struct {
	Name string // RFC 6381: "avc1.PPCCLL" or "Opus"

	// H.264: parameter sets as NAL units, and the size of the decoded picture.
	SPS, PPS      [][]byte
	Width, Height int

	// Opus: channels, and samples of 48 kHz that a decoder drops at the start.
	Channels, PreSkip int
}

// parseSampleDescription reads the one entry of an stsd box (ISO/IEC 14496-12 8.5.2). Errors wrap ErrUnsupported for
// other codecs.
func parseSampleDescription(stsd box) (Codec, error) {
	const fullBoxAndCount = 8
	if len(stsd.body) < fullBoxAndCount {
		return Codec{}, fmt.Errorf("%w: stsd of %d bytes", ErrFormat, len(stsd.body))
	}
	if n := binary.BigEndian.Uint32(stsd.body[4:]); n != 1 {
		return Codec{}, fmt.Errorf("%w: %d sample descriptions in one track", ErrUnsupported, n)
	}
	entry, err := firstBox(stsd.body[fullBoxAndCount:])
	if err != nil {
		return Codec{}, err
	}
	switch entry.kind {
	case "avc1", "avc3":
		return parseAVC(entry)
	case "Opus":
		return parseOpus(entry)
	}
	return Codec{}, fmt.Errorf("%w: codec %q", ErrUnsupported, entry.kind)
}

// parseAVC reads a visual sample entry (ISO/IEC 14496-12 12.1.3) with avcC in it.
func parseAVC(entry box) (Codec, error) {
	const fields = 78
	if len(entry.body) < fields {
		return Codec{}, fmt.Errorf("%w: %q of %d bytes", ErrFormat, entry.kind, len(entry.body))
	}
	config, err := descend(entry.body[fields:], "avcC")
	if err != nil {
		return Codec{}, err
	}
	// The library refuses lengths of other than four bytes; few files have any.
	record, err := avc.DecodeAVCDecConfRec(config.body)
	if err != nil {
		return Codec{}, fmt.Errorf("%w: avcC: %w", ErrUnsupported, err)
	}
	if _, _, err := decoderConfiguration(record.SPSnalus, record.PPSnalus); err != nil {
		return Codec{}, err
	}
	return Codec{
		Name:   fmt.Sprintf("avc1.%02x%02x%02x", record.AVCProfileIndication, record.ProfileCompatibility, record.AVCLevelIndication),
		SPS:    record.SPSnalus,
		PPS:    record.PPSnalus,
		Width:  int(binary.BigEndian.Uint16(entry.body[24:])),
		Height: int(binary.BigEndian.Uint16(entry.body[26:])),
	}, nil
}

// parseOpus reads an audio sample entry (ISO/IEC 14496-12 12.2.3) with dOps in it (Opus in ISOBMFF 4.3.2).
func parseOpus(entry box) (Codec, error) {
	const fields = 28
	if len(entry.body) < fields {
		return Codec{}, fmt.Errorf("%w: %q of %d bytes", ErrFormat, entry.kind, len(entry.body))
	}
	config, err := leafAt[*mp4.DopsBox](entry.body[fields:], "dOps")
	if err != nil {
		return Codec{}, err
	}
	// Opus in ISOBMFF 4.3.2: nothing after an unknown version may be read. RFC 7845 5.1.1.1: family 0 has 1 or 2.
	if config.Version != 0 || config.ChannelMappingFamily != 0 || config.OutputChannelCount < 1 || config.OutputChannelCount > 2 {
		return Codec{}, fmt.Errorf("%w: Opus version %d, mapping family %d, %d channels", ErrUnsupported,
			config.Version, config.ChannelMappingFamily, config.OutputChannelCount)
	}
	return Codec{Name: "Opus", Channels: int(config.OutputChannelCount), PreSkip: int(config.PreSkip)}, nil
}

// NALUs splits an H.264 sample into its NAL units (ISO/IEC 14496-15 5.3.2, lengths of four bytes), which point into it.
// Errors wrap ErrFormat.
func NALUs(sample []byte) ([][]byte, error) {
	var nals [][]byte
	for rest := sample; len(rest) > 0; {
		if len(rest) < 4 {
			return nil, fmt.Errorf("%w: %d bytes where a NAL unit's length should be", ErrFormat, len(rest))
		}
		size := uint64(binary.BigEndian.Uint32(rest))
		rest = rest[4:]
		// H.264 7.3.1: a NAL unit has at least its header.
		if size == 0 || size > uint64(len(rest)) {
			return nil, fmt.Errorf("%w: NAL unit of %d bytes where %d are left", ErrFormat, size, len(rest))
		}
		nals = append(nals, rest[:size])
		rest = rest[size:]
	}
	return nals, nil
}
