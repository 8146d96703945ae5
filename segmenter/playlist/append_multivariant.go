package playlist

import "strconv"

// Append writes the playlist to b and returns the longer slice, as append does. Strings must be free of quotes and
// control characters.
func (p *MultivariantPlaylist) Append(b []byte) []byte {
	b = append(b, "#EXTM3U\n"...)
	if p.Version > 0 {
		b = appendNumberTag(b, "#EXT-X-VERSION:", int64(p.Version))
	}
	if p.IndependentSegments {
		b = append(b, "#EXT-X-INDEPENDENT-SEGMENTS\n"...)
	}
	if p.Start != 0 {
		b = strconv.AppendFloat(append(b, "#EXT-X-START:TIME-OFFSET="...), p.Start.Seconds(), 'f', 3, 64)
		b = append(b, '\n')
	}
	for i := range p.Media {
		b = p.Media[i].append(b)
	}
	for i := range p.StreamInfs {
		b = p.StreamInfs[i].append(b)
	}
	return b
}

func (m *Media) append(b []byte) []byte {
	b = append(append(b, "#EXT-X-MEDIA:TYPE="...), m.Type...)
	b = appendQuoted(b, "GROUP-ID", m.GroupID)
	b = appendQuoted(b, "NAME", m.Name)
	b = appendQuoted(b, "LANGUAGE", m.Language)
	b = appendQuoted(b, "ASSOC-LANGUAGE", m.AssocLanguage)
	b = appendQuoted(b, "STABLE-RENDITION-ID", m.StableRenditionID)
	b = appendYes(b, "DEFAULT", m.Default)
	// 4.4.6.1: AUTOSELECT, if present, is YES where DEFAULT is.
	b = appendYes(b, "AUTOSELECT", m.Autoselect)
	b = appendYes(b, "FORCED", m.Forced)
	b = appendQuoted(b, "INSTREAM-ID", m.InstreamID)
	b = appendNumber(b, "BIT-DEPTH", m.BitDepth)
	b = appendNumber(b, "SAMPLE-RATE", m.SampleRate)
	b = appendQuoted(b, "CHARACTERISTICS", m.Characteristics)
	b = appendQuoted(b, "CHANNELS", m.Channels)
	b = appendQuoted(b, "URI", m.URI)
	return append(b, '\n')
}

func (s *StreamInf) append(b []byte) []byte {
	b = strconv.AppendInt(append(b, "#EXT-X-STREAM-INF:BANDWIDTH="...), int64(s.Bandwidth), 10)
	b = appendNumber(b, "AVERAGE-BANDWIDTH", s.AverageBandwidth)
	if s.Score > 0 {
		b = strconv.AppendFloat(append(b, ",SCORE="...), s.Score, 'f', -1, 64)
	}
	b = appendQuoted(b, "CODECS", s.Codecs)
	b = appendQuoted(b, "SUPPLEMENTAL-CODECS", s.SupplementalCodecs)
	if s.Resolution != (Resolution{}) {
		b = strconv.AppendInt(append(b, ",RESOLUTION="...), int64(s.Resolution.Width), 10)
		b = strconv.AppendInt(append(b, 'x'), int64(s.Resolution.Height), 10)
	}
	if s.FrameRate > 0 {
		// 4.4.6.2: rounded to three decimal places.
		b = strconv.AppendFloat(append(b, ",FRAME-RATE="...), s.FrameRate, 'f', 3, 64)
	}
	b = appendWord(b, "HDCP-LEVEL", s.HDCPLevel)
	b = appendQuoted(b, "ALLOWED-CPC", s.AllowedCPC)
	b = appendWord(b, "VIDEO-RANGE", s.VideoRange)
	b = appendQuoted(b, "REQ-VIDEO-LAYOUT", s.ReqVideoLayout)
	b = appendQuoted(b, "STABLE-VARIANT-ID", s.StableVariantID)
	b = appendQuoted(b, "AUDIO", s.Audio)
	b = appendQuoted(b, "VIDEO", s.Video)
	b = appendQuoted(b, "SUBTITLES", s.Subtitles)
	if s.ClosedCaptions == NoClosedCaptions {
		b = appendWord(b, "CLOSED-CAPTIONS", NoClosedCaptions)
	} else {
		b = appendQuoted(b, "CLOSED-CAPTIONS", s.ClosedCaptions)
	}
	b = appendQuoted(b, "PATHWAY-ID", s.PathwayID)
	b = append(b, '\n')
	return append(append(b, s.URI...), '\n')
}

func appendQuoted(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	b = append(appendName(b, name), '"')
	return append(append(b, value...), '"')
}

func appendWord(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	return append(appendName(b, name), value...)
}

func appendYes(b []byte, name string, yes bool) []byte {
	if !yes {
		return b
	}
	return appendWord(b, name, "YES")
}

func appendNumber(b []byte, name string, n int) []byte {
	if n <= 0 {
		return b
	}
	return strconv.AppendInt(appendName(b, name), int64(n), 10)
}

func appendName(b []byte, name string) []byte {
	return append(append(append(b, ','), name...), '=')
}
