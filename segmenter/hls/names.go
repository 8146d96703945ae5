package hls

import (
	"math"
	"strconv"
	"strings"

	"whipsaw/segmenter"
)

// name is the file name of a piece of media, taken apart.
type name struct {
	kind kind
	n    int              // of an init segment
	msn  int64            // of a segment
	part segmenter.PartID // of a part
}

type kind uint8

const (
	initKind kind = iota + 1
	segmentKind
	partKind
)

// parseName reads init-{n}.mp4, segment-{msn}.m4s and part-{epoch}-{msn}-{index}.m4s. Every thing has one name only:
// numbers are canonical, so that no cache holds anything twice.
func parseName(file string) (name, bool) {
	if stem, ok := strings.CutSuffix(file, ".mp4"); ok {
		number, ok := strings.CutPrefix(stem, "init-")
		n, good := parseCanonical(number, math.MaxInt32)
		return name{kind: initKind, n: int(n)}, ok && good
	}
	stem, ok := strings.CutSuffix(file, ".m4s")
	if !ok {
		return name{}, false
	}
	if number, ok := strings.CutPrefix(stem, "segment-"); ok {
		msn, good := parseCanonical(number, math.MaxInt64)
		return name{kind: segmentKind, msn: msn}, good
	}
	numbers, ok := strings.CutPrefix(stem, "part-")
	epoch, numbers, _ := strings.Cut(numbers, "-")
	msn, index, _ := strings.Cut(numbers, "-")
	e, goodEpoch := parseCanonical(epoch, math.MaxInt64)
	m, goodMSN := parseCanonical(msn, math.MaxInt64)
	i, goodIndex := parseCanonical(index, math.MaxInt32)
	id := segmenter.PartID{Epoch: e, MSN: m, Index: int(i)}
	return name{kind: partKind, part: id}, ok && goodEpoch && goodMSN && goodIndex
}

// parseCanonical reads digits without sign and leading zeros.
func parseCanonical(s string, most int64) (int64, bool) {
	if s == "" || len(s) > 1 && s[0] == '0' || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil && n <= most
}
