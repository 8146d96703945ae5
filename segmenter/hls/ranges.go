package hls

import (
	"math"
	"net/http"
	"strconv"
	"strings"
)

// byteRange is what is to be sent of a body: from to to, to excluded.
type byteRange struct {
	kind     rangeKind
	from, to int64
}

type rangeKind uint8

const (
	whole rangeKind = iota
	partial
	unsatisfiable
)

// requestedRange decides what a request wants of a body of that size. HEAD has no ranges (RFC 9110 14.2), and a range of
// another version than this one is none (13.1.5).
func requestedRange(r *http.Request, etag string, size int64) byteRange {
	header := r.Header.Get("Range")
	if header == "" || r.Method != http.MethodGet {
		return byteRange{}
	}
	// We send no Last-Modified, so that a date never matches; nor does a weak tag.
	if condition := r.Header.Get("If-Range"); condition != "" && condition != etag {
		return byteRange{}
	}
	return parseRange(header, size)
}

// parseRange reads a Range header (RFC 9110 14.1.2). What is malformed, of another unit or more than one range gives the
// whole body, as a server may choose (14.2).
func parseRange(header string, size int64) byteRange {
	unit, set, ok := strings.Cut(header, "=")
	first, last, dash := strings.Cut(strings.Trim(set, " \t"), "-")
	if !ok || !dash || !strings.EqualFold(unit, "bytes") || !digits(first) || !digits(last) || first == "" && last == "" {
		return byteRange{}
	}
	if first == "" {
		n := min(saturated(last), size)
		return satisfiable(size-n, size, size)
	}
	from, to := saturated(first), int64(math.MaxInt64)
	if last != "" {
		if to = saturated(last); to < from {
			return byteRange{} // 14.1.1: invalid, to be ignored
		}
	}
	if to >= size {
		to = size - 1
	}
	return satisfiable(from, to+1, size)
}

func satisfiable(from, to, size int64) byteRange {
	if from >= size {
		return byteRange{kind: unsatisfiable}
	}
	return byteRange{kind: partial, from: from, to: to}
}

func digits(s string) bool { return strings.Trim(s, "0123456789") == "" }

// saturated reads digits; a number too large for an int64 is as good as the largest.
func saturated(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return math.MaxInt64
	}
	return n
}

// slice returns the bytes from to to of a body, sharing its memory.
func slice(body [][]byte, from, to int64) [][]byte {
	var out [][]byte
	for _, b := range body {
		n := int64(len(b))
		if low, high := max(from, 0), min(to, n); low < high {
			out = append(out, b[low:high])
		}
		from, to = from-n, to-n
	}
	return out
}
