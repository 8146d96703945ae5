package wire

import (
	"bytes"
	"fmt"
)

// header is what the bench needs of the head of an answer.
type header struct {
	status   int
	length   int64 // below 0: not said
	chunked  bool
	gzip     bool
	last     bool // the connection ends with it
	location string
}

// parseHeader reads a status line and fields (RFC 9112 4, 5), each ended by CR LF.
func parseHeader(b []byte) (header, error) {
	h := header{length: -1}
	line, rest, _ := bytes.Cut(b, []byte("\r\n"))
	if len(line) < 12 || string(line[:7]) != "HTTP/1." || line[8] != ' ' {
		return h, fmt.Errorf("%w: it begins with %q", ErrProtocol, line[:min(len(line), 20)])
	}
	h.last = line[7] == '0'
	for _, digit := range line[9:12] {
		if digit < '0' || digit > '9' {
			return h, fmt.Errorf("%w: its status is %q", ErrProtocol, line[9:12])
		}
		h.status = 10*h.status + int(digit-'0')
	}
	for len(rest) > 0 {
		line, rest, _ = bytes.Cut(rest, []byte("\r\n"))
		name, value, ok := bytes.Cut(line, []byte(":"))
		if !ok {
			return h, fmt.Errorf("%w: a field without a colon", ErrProtocol)
		}
		if err := h.field(name, bytes.TrimSpace(value)); err != nil {
			return h, err
		}
	}
	return h, nil
}

func (h *header) field(name, value []byte) error {
	switch len(name) { // most names are passed over by their length
	case len("Location"):
		if fold(name, "location") {
			h.location = string(value)
		}
	case len("Connection"):
		if fold(name, "connection") && fold(value, "close") {
			h.last = true
		}
	case len("Content-Length"):
		if !fold(name, "content-length") {
			return nil
		}
		n := int64(0)
		for _, digit := range value {
			if digit < '0' || digit > '9' || n > maxBody {
				return fmt.Errorf("%w: its length is %q", ErrProtocol, value)
			}
			n = 10*n + int64(digit-'0')
		}
		if len(value) == 0 {
			return fmt.Errorf("%w: its length is empty", ErrProtocol)
		}
		h.length = n
	case len("Content-Encoding"):
		if fold(name, "content-encoding") {
			h.gzip = fold(value, "gzip")
		}
	case len("Transfer-Encoding"):
		if fold(name, "transfer-encoding") {
			if !fold(value, "chunked") {
				return fmt.Errorf("%w: transfer encoding %q", ErrProtocol, value)
			}
			h.chunked = true
		}
	}
	return nil
}

// fold compares without regard to case; lower is in lower case.
func fold(b []byte, lower string) bool {
	if len(b) != len(lower) {
		return false
	}
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// chunkSize reads the line before a chunk: its size in hexadecimal, and extensions that nobody needs.
func chunkSize(line []byte) (int64, error) {
	digits, _, _ := bytes.Cut(line, []byte(";"))
	digits = bytes.TrimSpace(digits)
	n := int64(0)
	for _, c := range digits {
		var d int64
		switch {
		case c >= '0' && c <= '9':
			d = int64(c - '0')
		case c >= 'a' && c <= 'f':
			d = int64(c-'a') + 10
		case c >= 'A' && c <= 'F':
			d = int64(c-'A') + 10
		default:
			return 0, fmt.Errorf("%w: a chunk of size %q", ErrProtocol, digits)
		}
		if n = 16*n + d; n > maxBody {
			return 0, fmt.Errorf("%w: a chunk of over %d bytes", ErrTooLarge, maxBody)
		}
	}
	if len(digits) == 0 {
		return 0, fmt.Errorf("%w: a chunk without a size", ErrProtocol)
	}
	return n, nil
}

func orProtocol(err error, text string) error {
	if err != nil {
		return err
	}
	return fmt.Errorf("%w: %s", ErrProtocol, text)
}
