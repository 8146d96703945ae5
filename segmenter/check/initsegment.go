package check

import (
	"slices"

	"whipsaw/fmp4"
)

// header is an init segment.
type header struct {
	movie fmp4.Movie
	lead  int              // index of the track that the rendition is judged by
	own   *fmp4.Init       // as this project writes it; nil in the general profile, and where it is none
	info  []fmp4.VideoInfo // of the lead track, where it is H.264: one
}

// readHeader checks the bytes of an init segment; nil if they cannot be read.
func readHeader(f *findings, uri string, data []byte) *header {
	f.saw(InitSegment)
	movie, err := fmp4.ReadMovie(data)
	if err != nil {
		f.add(InitSegment, "%s: %v", uri, err)
		return nil
	}
	h := &header{movie: movie, lead: leadTrack(&movie)}
	if sps := h.track().SPS; len(sps) > 0 {
		if info, err := fmp4.ParseSPS(sps[0]); err == nil {
			h.info = append(h.info, info)
		}
	}
	if f.profile == Strict {
		h.own = houseHeader(f, uri, data)
	}
	return h
}

// track is the one that the rendition is judged by.
func (h *header) track() *fmp4.MovieTrack { return &h.movie.Tracks[h.lead] }

// houseHeader checks what this project's own init segments keep besides; nil if they cannot be read as such.
func houseHeader(f *findings, uri string, data []byte) *fmp4.Init {
	f.saw(InitHouse)
	init, err := fmp4.ParseInit(data)
	if err != nil {
		f.add(InitHouse, "%s: %v", uri, err)
		return nil
	}
	for _, brand := range []string{"iso6", "cmfc"} {
		if !slices.Contains(init.Brands, brand) {
			f.add(InitHouse, "%s: brands are %v, without %s", uri, init.Brands, brand)
		}
	}
	// Live: no end is known, and times are what tfdt says.
	if init.Duration != 0 {
		f.add(InitHouse, "%s: duration %d", uri, init.Duration)
	}
	if init.Edits {
		f.add(InitHouse, "%s: an edit list", uri)
	}
	if init.Name == "Opus" {
		opusInit(f, uri, &init)
	} else {
		h264Init(f, uri, &init)
	}
	return &init
}

func opusInit(f *findings, uri string, init *fmp4.Init) {
	f.saw(Opus)
	// Opus in ISOBMFF 4.3.6.2: 80 ms of pre-roll, four frames of 20 ms.
	if init.RollDistance != -4 {
		f.add(Opus, "%s: roll distance %d", uri, init.RollDistance)
	}
	if init.Timescale != fmp4.AudioTimescale {
		f.add(Opus, "%s: time scale %d", uri, init.Timescale)
	}
}

func h264Init(f *findings, uri string, init *fmp4.Init) {
	f.saw(AVCInit)
	info, err := fmp4.ParseSPS(init.SPS[0])
	if err != nil {
		f.add(AVCInit, "%s: %v", uri, err)
		return
	}
	if init.Width != info.PixelWidth || init.Height != info.PixelHeight {
		f.add(AVCInit, "%s: %dx%d, the parameter set says %dx%d", uri, init.Width, init.Height, info.PixelWidth, info.PixelHeight)
	}
	if init.Timescale != fmp4.VideoTimescale {
		f.add(AVCInit, "%s: time scale %d", uri, init.Timescale)
	}
}
