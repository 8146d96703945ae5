package fmp4

import (
	"bytes"
	"testing"

	"github.com/Eyevinn/mp4ff/bits"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// spsModel is the source of generated parameter sets.
type spsModel struct {
	profile, constraints byte
	chroma               uint
	depth                uint
	scaling              []int // deltas of the first list, nil for no matrix
	pocType              uint
	pocCycle             []int
	widthMBs, heightMBs  uint
	interlaced           bool
	crop                 [4]uint
	vui                  bool
	sarIDC               uint
	sar                  [2]uint
	units, scale         uint
	hrdCount             uint
	reorder, buffering   uint
	restriction          bool
}

func plainSPS() spsModel {
	return spsModel{
		profile: 100, chroma: 1, widthMBs: 40, heightMBs: 23, vui: true, sarIDC: 1, units: 1, scale: 60,
		restriction: true, reorder: 2, buffering: 4,
	}
}

func (p spsModel) encode(t testing.TB) []byte {
	var out bytes.Buffer
	w := bits.NewEBSPWriter(&out)
	w.Write(0x67, 8)
	w.Write(uint(p.profile), 8)
	w.Write(uint(p.constraints), 8)
	w.Write(31, 8)
	w.WriteExpGolomb(0)
	if p.profile >= 100 {
		w.WriteExpGolomb(p.chroma)
		if p.chroma == 3 {
			w.Write(0, 1)
		}
		w.WriteExpGolomb(p.depth)
		w.WriteExpGolomb(p.depth)
		w.Write(0, 1)
		p.encodeScaling(w)
	}
	w.WriteExpGolomb(0)
	p.encodePOC(w)
	w.WriteExpGolomb(4)
	w.Write(0, 1)
	p.encodeSize(w)
	w.Write(flagBit(p.vui), 1)
	if p.vui {
		p.encodeVUI(w)
	}
	w.WriteRbspTrailingBits()
	require.NoError(t, w.AccError())
	return out.Bytes()
}

func (p spsModel) encodeScaling(w *bits.EBSPWriter) {
	w.Write(flagBit(p.scaling != nil), 1)
	if p.scaling == nil {
		return
	}
	w.Write(1, 1)
	last, next := 8, 8
	for i := 0; i < 16 && next != 0; i++ {
		delta := p.scaling[i%len(p.scaling)]
		writeSigned(w, delta)
		next = (last + delta + 256) % 256
		if next != 0 {
			last = next
		}
	}
	lists := 7
	if p.chroma == 3 {
		lists = 11
	}
	w.Write(0, lists)
}

func (p spsModel) encodePOC(w *bits.EBSPWriter) {
	w.WriteExpGolomb(p.pocType)
	switch p.pocType {
	case 0:
		w.WriteExpGolomb(4)
	case 1:
		w.Write(1, 1)
		writeSigned(w, -3)
		writeSigned(w, 5)
		w.WriteExpGolomb(uint(len(p.pocCycle)))
		for _, v := range p.pocCycle {
			writeSigned(w, v)
		}
	}
}

func (p spsModel) encodeSize(w *bits.EBSPWriter) {
	w.WriteExpGolomb(p.widthMBs - 1)
	w.WriteExpGolomb(p.heightMBs - 1)
	w.Write(flagBit(!p.interlaced), 1)
	if p.interlaced {
		w.Write(0, 1)
	}
	w.Write(1, 1)
	w.Write(flagBit(p.crop != [4]uint{}), 1)
	if p.crop != [4]uint{} {
		for _, c := range p.crop {
			w.WriteExpGolomb(c)
		}
	}
}

func (p spsModel) encodeVUI(w *bits.EBSPWriter) {
	w.Write(flagBit(p.sarIDC != 0), 1)
	if p.sarIDC != 0 {
		w.Write(p.sarIDC, 8)
		if p.sarIDC == 255 {
			w.Write(p.sar[0], 16)
			w.Write(p.sar[1], 16)
		}
	}
	w.Write(0b10, 2)         // overscan, not appropriate; then
	w.Write(0b1101_0_1, 6)   // video signal: format 5, full range 0, colours
	w.Write(0x010101, 24)    // BT.709
	w.Write(1, 1)            // chroma location
	w.WriteExpGolomb(1)      //
	w.WriteExpGolomb(0)      //
	w.Write(1, 1)            // timing
	w.Write(p.units>>16, 16) //
	w.Write(p.units&0xffff, 16)
	w.Write(p.scale>>16, 16)
	w.Write(p.scale&0xffff, 16)
	w.Write(1, 1)
	w.Write(flagBit(p.hrdCount > 0), 1)
	if p.hrdCount > 0 {
		w.WriteExpGolomb(p.hrdCount - 1)
		w.Write(0x11, 8)
		for range min(p.hrdCount, 32) {
			w.WriteExpGolomb(1000)
			w.WriteExpGolomb(2000)
			w.Write(1, 1)
		}
		w.Write(0x12345, 20)
	}
	w.Write(0, 1)
	if p.hrdCount > 0 {
		w.Write(0, 1)
	}
	w.Write(1, 1)
	w.Write(flagBit(p.restriction), 1)
	if p.restriction {
		w.Write(1, 1)
		for _, v := range []uint{0, 0, 11, 11, p.reorder, p.buffering} {
			w.WriteExpGolomb(v)
		}
	}
}

func flagBit(b bool) uint {
	if b {
		return 1
	}
	return 0
}

func writeSigned(w *bits.EBSPWriter, v int) {
	if v > 0 {
		w.WriteExpGolomb(uint(2*v - 1))
	} else {
		w.WriteExpGolomb(uint(-2 * v))
	}
}

func genSPS(t *rapid.T) spsModel {
	p := spsModel{
		profile:     rapid.SampledFrom([]byte{66, 77, 100, 110, 122, 244}).Draw(t, "profile"),
		constraints: byte(rapid.SampledFrom([]int{0, 0x10, 0x40, 0xe0}).Draw(t, "constraints")),
		chroma:      1,
		pocType:     rapid.UintRange(0, 2).Draw(t, "poc"),
		pocCycle:    rapid.SliceOfN(rapid.IntRange(-40, 40), 0, 10).Draw(t, "cycle"),
		widthMBs:    rapid.UintRange(2, maxMBs).Draw(t, "width"),
		heightMBs:   rapid.UintRange(2, 500).Draw(t, "height"),
		interlaced:  rapid.Bool().Draw(t, "interlaced"),
		vui:         rapid.Bool().Draw(t, "vui"),
		sarIDC:      rapid.SampledFrom([]uint{0, 1, 2, 14, 16, 255}).Draw(t, "idc"),
		sar:         [2]uint{rapid.UintRange(1, 9).Draw(t, "sarw"), rapid.UintRange(1, 9).Draw(t, "sarh")},
		units:       rapid.UintRange(1, 1001).Draw(t, "units"),
		scale:       rapid.UintRange(1, 120000).Draw(t, "scale"),
		hrdCount:    rapid.UintRange(0, 32).Draw(t, "hrd"),
		buffering:   16,
		reorder:     rapid.UintRange(0, 16).Draw(t, "reorder"),
		restriction: rapid.Bool().Draw(t, "restriction"),
	}
	if p.profile >= 100 {
		p.chroma = rapid.UintRange(0, 3).Draw(t, "chroma")
		p.depth = rapid.UintRange(0, 6).Draw(t, "depth")
		if rapid.Bool().Draw(t, "matrix") {
			p.scaling = rapid.SliceOfN(rapid.IntRange(-20, 20), 1, 16).Draw(t, "deltas")
		}
	}
	if rapid.Bool().Draw(t, "crop") {
		p.crop = [4]uint{1, 2, 1, 2}
	}
	return p
}
