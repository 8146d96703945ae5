package check

import (
	"slices"

	"whipsaw/fmp4"
)

// initSegment checks the bytes of an init segment; nil if they cannot be read.
func initSegment(f *findings, uri string, data []byte) *fmp4.Init {
	init, err := fmp4.ParseInit(data)
	if err != nil {
		f.add(ruleCMAFHeader, "%s: %v", uri, err)
		return nil
	}
	for _, brand := range []string{"iso6", "cmfc"} {
		if !slices.Contains(init.Brands, brand) {
			f.add(ruleCMAFHeader, "%s: brands are %v, without %s", uri, init.Brands, brand)
		}
	}
	// Live: no end is known, and times are what tfdt says.
	if init.Duration != 0 {
		f.add(ruleCMAFHeader, "%s: duration %d", uri, init.Duration)
	}
	if init.Edits {
		f.add(ruleCMAFHeader, "%s: an edit list", uri)
	}
	if init.Name == "Opus" {
		opusInit(f, uri, &init)
	} else {
		h264Init(f, uri, &init)
	}
	return &init
}

func opusInit(f *findings, uri string, init *fmp4.Init) {
	// Opus in ISOBMFF 4.3.6.2: 80 ms of pre-roll, four frames of 20 ms.
	if init.RollDistance != -4 {
		f.add(ruleOpus, "%s: roll distance %d", uri, init.RollDistance)
	}
	if init.Timescale != fmp4.AudioTimescale {
		f.add(ruleOpus, "%s: time scale %d", uri, init.Timescale)
	}
}

func h264Init(f *findings, uri string, init *fmp4.Init) {
	info, err := fmp4.ParseSPS(init.SPS[0])
	if err != nil {
		f.add(ruleAVC, "%s: %v", uri, err)
		return
	}
	if init.Width != info.PixelWidth || init.Height != info.PixelHeight {
		f.add(ruleAVC, "%s: %dx%d, the parameter set says %dx%d", uri, init.Width, init.Height, info.PixelWidth, info.PixelHeight)
	}
	if init.Timescale != fmp4.VideoTimescale {
		f.add(ruleCMAFHeader, "%s: time scale %d", uri, init.Timescale)
	}
}
