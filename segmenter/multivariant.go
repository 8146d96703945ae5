package segmenter

import (
	"bytes"
	"cmp"
	"math"
	"slices"
	"strconv"
	"time"

	"whipsaw/segmenter/playlist"
)

const (
	opusCodec  = "Opus" // RFC 6381 name as ISO/IEC 14496-12 registers it; Safari refuses "opus"
	audioGroup = "audio"
)

// measure notes the bit rate around the segment that b just completed.
func (w *writer) measure(b *builder) {
	w.peak[b.kind] = max(w.peak[b.kind], b.newPeak())
	w.announce()
}

// announce renders the multivariant playlist, once every rendition has a whole segment.
func (w *writer) announce() {
	for _, o := range w.builders() {
		if len(o.segments) == 0 {
			return
		}
	}
	old := w.gen.multivariant.Load()
	if old == nil && w.from == nil {
		w.date()
	}
	body := w.multivariant().Append(nil)
	if old == nil || !bytes.Equal(old.Body, body) {
		w.gen.multivariant.Store(render(body))
	}
}

// date gives the first segments the program time as it is known by now: nobody has seen them before this generation's
// multivariant playlist, and the first packets may have come late.
func (w *writer) date() {
	if !w.wall.settle() {
		return
	}
	for _, b := range w.builders() {
		for i, g := range append(slices.Clone(b.segments), b.open) {
			dated := *g
			dated.ProgramTime = w.wall.program(g.Epoch, g.Start)
			if i < len(b.segments) {
				b.segments[i] = &dated
			} else {
				b.open = &dated
			}
		}
		hint, hinted := b.rendition.Snapshot().Hint()
		w.publish(b, hint, hinted)
	}
}

// newPeak is the largest bit rate of any run of segments that ends with the newest and lasts between half a target
// duration and one and a half (rfc8216bis 4.1, peak segment bit rate).
func (b *builder) newPeak() int64 {
	target := time.Duration(b.cfg.TargetDuration()) * time.Second
	peak, size, length := int64(0), 0, time.Duration(0)
	for i := len(b.segments) - 1; i >= 0 && length <= target*3/2; i-- {
		size += b.segments[i].Size()
		length += b.segments[i].Duration()
		if length >= target/2 && length <= target*3/2 {
			peak = max(peak, int64(float64(size*8)/length.Seconds()))
		}
	}
	return peak
}

// multivariant is the playlist of all renditions (rfc8216bis 4.4.6): one variant, and where it is wanted another without
// sound.
func (w *writer) multivariant() *playlist.MultivariantPlaylist {
	p := &playlist.MultivariantPlaylist{Version: playlistVersion}
	uri := func(k Kind) string { return w.gen.id + "/" + k.String() + "/" + MediaPlaylistName }
	variant := playlist.StreamInf{ClosedCaptions: playlist.NoClosedCaptions}
	for _, b := range w.builders() {
		average := b.average()
		variant.Bandwidth += int(roundUp(cmp.Or(w.peak[b.kind], average))) // no run of segments is long enough at first
		variant.AverageBandwidth += int(roundUp(average))
	}
	variant.AverageBandwidth = min(variant.AverageBandwidth, variant.Bandwidth)
	if w.video == nil {
		variant.Codecs, variant.URI = opusCodec, uri(Audio)
		p.StreamInfs = []playlist.StreamInf{variant}
		return p
	}
	v := w.video
	p.Start = w.join
	variant.URI = uri(Video)
	variant.Codecs = v.info.Codec
	variant.Resolution = playlist.Resolution{Width: v.info.Width, Height: v.info.Height}
	variant.FrameRate = v.frameRate()
	if w.audio != nil {
		variant.Codecs += "," + opusCodec
		variant.Audio = audioGroup
		p.Media = []playlist.Media{{
			Type: playlist.TypeAudio, GroupID: audioGroup, Name: "Audio", Default: true, Autoselect: true,
			Channels: strconv.Itoa(w.audio.channels), URI: uri(Audio),
		}}
	}
	p.StreamInfs = []playlist.StreamInf{variant}
	if w.audio != nil && w.cfg.VideoOnlyVariant {
		p.StreamInfs = w.withoutSound(variant)
	}
	return p
}

// withoutSound adds a variant of the picture alone to a variant. 4.4.6.2: SCORE is on all variants or none; it keeps
// players that can play both from going down to silence to save bits.
func (w *writer) withoutSound(variant playlist.StreamInf) []playlist.StreamInf {
	silent := variant
	variant.Score, silent.Score = 2, 1
	silent.Audio, silent.Codecs = "", w.video.info.Codec
	silent.AverageBandwidth = int(roundUp(w.video.average()))
	silent.Bandwidth = max(silent.AverageBandwidth, int(roundUp(w.peak[Video])))
	return []playlist.StreamInf{variant, silent}
}

// roundUp keeps the playlist from changing with every segment: steps of about 5 %.
func roundUp(rate int64) int64 {
	if rate <= 0 {
		return 1
	}
	step := int64(1)
	for step*20 < rate {
		step *= 2
	}
	return (rate + step - 1) / step * step
}

// average is the bit rate of all that the playlist shows.
func (b *builder) average() int64 {
	size, length := 0, time.Duration(0)
	for _, g := range b.segments[b.first:] {
		size += g.Size()
		length += g.Duration()
	}
	if length <= 0 {
		return 0
	}
	return int64(float64(size*8) / length.Seconds())
}

// usualRates are the frame rates that a measured one near them stands for.
var usualRates = []float64{5, 10, 12, 12.5, 15, 20, 24000.0 / 1001, 24, 25, 30000.0 / 1001, 30, 48, 50, 60000.0 / 1001, 60, 90, 100, 120}

// frameRate is the usual rate nearest to the measured one, if it is within 1 %.
func (v *videoWriter) frameRate() float64 {
	rate := float64(videoRate) / float64(v.frame())
	best, distance := math.Round(rate*10)/10, rate/100
	for _, usual := range usualRates {
		if d := math.Abs(rate - usual); d < distance {
			best, distance = usual, d
		}
	}
	return best
}
