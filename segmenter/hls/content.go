package hls

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"whipsaw/segmenter"
)

// fixed is a header value that all answers share: it goes into their headers as it is and must not be changed there.
type fixed []string

var (
	applePlaylist = fixed{"application/vnd.apple.mpegurl"}
	videoMP4      = fixed{"video/mp4"}
	audioMP4      = fixed{"audio/mp4"}
	plainText     = fixed{"text/plain; charset=utf-8"}
	inGzip        = fixed{"gzip"}
	noSniff       = fixed{"nosniff"}
	inBytes       = fixed{"bytes"}

	// Response priorities (RFC 9218): playlists before the media that they lead to.
	playlistPriority = fixed{"u=1"}
	mediaPriority    = fixed{"u=2"}
)

// content is a successful answer before conditions and ranges are applied.
type content struct {
	kind     fixed // Content-Type
	encoding fixed // Content-Encoding
	cache    fixed // Cache-Control
	priority fixed
	varies   bool // it depends on Accept-Encoding
	etag     string
	body     [][]byte // immutable, shared; written slice by slice
}

// playlistContent picks the form of a playlist that the client accepts. Each form has its own entity tag, and a range is
// one of the plain form.
func playlistContent(r *http.Request, p *segmenter.Rendered, cache fixed) content {
	c := content{
		kind: applePlaylist, varies: true, etag: p.ETag, cache: cache, priority: playlistPriority,
		body: [][]byte{p.Body},
	}
	if len(p.Gzip) > 0 && r.Header.Get("Range") == "" && acceptsGzip(r.Header.Values("Accept-Encoding")) {
		c.encoding, c.body[0] = inGzip, p.Gzip
		c.etag = p.ETag[:len(p.ETag)-1] + `-gzip"`
	}
	return c
}

// mediaContent is for what never changes: its name is its entity tag.
func mediaContent(rendition, etag string, body [][]byte) content {
	kind := videoMP4
	if rendition == segmenter.Audio.String() {
		kind = audioMP4
	}
	return content{kind: kind, etag: etag, cache: forever, priority: mediaPriority, body: body}
}

// form sets the headers of c and returns as much of it as the client's conditions (RFC 9110 13) and range (RFC 9110 14) ask
// for. Accept-Ranges is there for caches: nginx cuts ranges only from what came with it.
func (c *content) form(h http.Header, r *http.Request) (status int, body [][]byte) {
	h["Cache-Control"] = c.cache
	own := [...]string{c.etag, ""} // and the length: the values that are this answer's alone
	h["Etag"] = own[:1:1]
	if c.varies {
		h.Add("Vary", "Accept-Encoding")
	}
	if matches(r.Header.Values("If-None-Match"), c.etag) {
		return http.StatusNotModified, nil
	}
	h["Content-Type"] = c.kind
	h["Accept-Ranges"] = inBytes
	h["X-Content-Type-Options"] = noSniff
	h["Priority"] = c.priority
	if c.encoding != nil {
		h["Content-Encoding"] = c.encoding
	}
	size := length(c.body)
	cut := requestedRange(r, c.etag, size)
	status, body = http.StatusOK, c.body
	switch cut.kind {
	case partial:
		status = http.StatusPartialContent
		h.Set("Content-Range", "bytes "+decimal(cut.from)+"-"+decimal(cut.to-1)+"/"+decimal(size))
		body = slice(body, cut.from, cut.to)
	case unsatisfiable:
		status = http.StatusRequestedRangeNotSatisfiable
		h.Set("Content-Range", "bytes */"+decimal(size))
		h["Cache-Control"] = noStore
		body = nil
	}
	own[1] = decimal(length(body))
	h["Content-Length"] = own[1:]
	return status, body
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

func length(body [][]byte) int64 {
	n := int64(0)
	for _, b := range body {
		n += int64(len(b))
	}
	return n
}

// How slow a reader may be: a moment for the network, and then half a megabit a second.
const (
	writeGrace  = 10 * time.Second
	slowestRead = 64 << 10 // bytes a second
)

// write sends status and body, each slice in one Write, within a deadline of its own: a reader that is too slow is cut,
// a request that waited is not.
func write(w http.ResponseWriter, r *http.Request, status int, body [][]byte) {
	control := http.NewResponseController(w)
	limit := writeGrace + time.Duration(length(body))*time.Second/slowestRead
	if err := control.SetWriteDeadline(time.Now().Add(limit)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return // the connection is gone
	}
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		body = nil
	}
	for _, b := range body {
		if _, err := w.Write(b); err != nil {
			return // the connection is gone, or the reader was too slow: it is closed by the server
		}
	}
	if r.ProtoMajor != 1 {
		return // the deadline is the HTTP/2 stream's own
	}
	// On HTTP/1 it is the connection's and would cut whatever comes next on it: everything goes out, then it is lifted.
	if control.Flush() == nil {
		control.SetWriteDeadline(time.Time{}) // fails only where setting it failed
	}
}
