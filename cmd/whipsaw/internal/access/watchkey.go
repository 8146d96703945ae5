package access

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"

	"whipsaw/segmenter"
)

// WatchKeys sign the right to watch one stream until a certain second. The first signs, all of them verify, so that a
// key can be changed while links made with the one before are still out. Without any, everybody may watch.
type WatchKeys []string

// What a path to watch may be refused for.
var (
	errUnsigned = errors.New("watching needs a signed link, /hls/~EXPIRES~SIGNATURE/STREAM/index.m3u8")
	errForged   = errors.New("the signature of this link is not right for this stream and time")
	errExpired  = errors.New("this link has expired")
)

const (
	maxExpiresDigits = 11 // of Unix seconds: thousands of years
	maxWatchPath     = 512
)

var signatureLength = base64.RawURLEncoding.EncodedLen(sha256.Size)

// Sign returns the path segment ~EXPIRES~SIGNATURE that stands before the name of the stream. No stream can have a name
// like it, and a player keeps it, since every URI in a playlist is relative. There has to be a key.
func (k WatchKeys) Sign(stream string, expires time.Time) string {
	seconds := strconv.FormatInt(expires.Unix(), 10)
	return "~" + seconds + "~" + signature(k[0], seconds, stream)
}

// signature is HMAC-SHA256 over watch:EXPIRES:STREAM, base64url without padding. It holds nothing of the viewer, so that
// everybody with one link shares all its URLs.
func signature(key, seconds, stream string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte("watch:" + seconds + ":" + stream)) // a hash takes everything
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// watchPath is what lies below /hls, taken apart: /~EXPIRES~SIGNATURE/STREAM/REST, or /STREAM/REST.
type watchPath struct {
	seconds, signature string // empty: unsigned
	stream             string
	plain              string // without the signed segment: /STREAM/REST
}

// parseWatchPath reads the path of a request below /hls, as it was sent, without its query. It takes only what we name
// things by: no escapes, empty segments or dots that a proxy could read in another way than we do.
func parseWatchPath(path string) (watchPath, bool) {
	if len(path) > maxWatchPath || !strings.HasPrefix(path, "/") || !plainPath(path[1:]) {
		return watchPath{}, false
	}
	p := watchPath{plain: path}
	if first, rest, _ := strings.Cut(path[1:], "/"); strings.HasPrefix(first, "~") {
		var ok bool
		if p.seconds, p.signature, ok = parseSigned(first); !ok {
			return watchPath{}, false
		}
		p.plain = "/" + rest
	}
	p.stream, _, _ = strings.Cut(p.plain[1:], "/")
	return p, segmenter.ValidName(p.stream)
}

// plainPath reports whether a path has segments of unreserved characters (RFC 3986 2.3) only, none of them empty, "." or
// "..".
func plainPath(path string) bool {
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "" || segment == "." || segment == ".." {
			return false
		}
	}
	return !strings.ContainsFunc(path, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-._~/", r)
	})
}

// parseSigned reads ~EXPIRES~SIGNATURE. Every time has one spelling.
func parseSigned(segment string) (seconds, signature string, ok bool) {
	seconds, signature, ok = strings.Cut(segment[1:], "~")
	if !ok || seconds == "" || len(seconds) > maxExpiresDigits || seconds[0] == '0' || strings.Trim(seconds, "0123456789") != "" {
		return "", "", false
	}
	return seconds, signature, len(signature) == signatureLength && !strings.Contains(signature, "~")
}

// check returns nil if p may be watched at that time, and until when; the zero time stands for no end.
func (k WatchKeys) check(p watchPath, now time.Time) (until time.Time, err error) {
	if len(k) == 0 {
		return time.Time{}, nil
	}
	if p.signature == "" {
		return time.Time{}, errUnsigned
	}
	good := 0
	for _, key := range k { // all of them, so that the time tells nothing
		good |= subtle.ConstantTimeCompare([]byte(signature(key, p.seconds, p.stream)), []byte(p.signature))
	}
	if good == 0 {
		return time.Time{}, errForged
	}
	seconds, err := strconv.ParseInt(p.seconds, 10, 64)
	if err != nil { // digits of a bounded number always parse
		return time.Time{}, errForged
	}
	until = time.Unix(seconds, 0)
	if !now.Before(until) {
		return time.Time{}, errExpired
	}
	return until, nil
}
