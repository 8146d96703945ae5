package check

import "strings"

// Answer is what an HTTP server said to one GET, as far as it is judged here.
type Answer struct {
	URI          string // as the playlist names it, or the playlist's own
	Playlist     bool   // it is one, or should have been
	Status       int
	ContentType  string
	CacheControl string
	Encoding     string // Content-Encoding
	CrossOrigin  bool   // it was asked with an Origin
	AllowOrigin  string // Access-Control-Allow-Origin
	Major        int    // version of HTTP
	Secure       bool   // HTTPS
}

// Answer checks what is said around a body. The request has to have come with Accept-Encoding: gzip.
func (c *Checker) Answer(a Answer) []Violation {
	f := c.open()
	if a.CrossOrigin {
		f.saw(CrossOrigin)
	}
	if a.CrossOrigin && a.AllowOrigin == "" {
		f.add(CrossOrigin, "%s: no Access-Control-Allow-Origin", kindOf(a))
	}
	if a.Status >= 400 {
		// RFC 9111 4.2.2: caches may make up a lifetime for 404 and 410, and B.1 lets them keep what is said.
		f.saw(ErrorsUncached)
		if !strings.Contains(a.CacheControl, "no-store") && !strings.Contains(a.CacheControl, "max-age") && !strings.Contains(a.CacheControl, "no-cache") {
			f.add(ErrorsUncached, "status %d of %s without Cache-Control", a.Status, kindOf(a))
		}
		return f.list
	}
	if a.Playlist {
		playlistAnswer(f, a)
	}
	return f.list
}

func kindOf(a Answer) string {
	if a.Playlist {
		return "a playlist"
	}
	return "media"
}

func playlistAnswer(f *findings, a Answer) {
	f.saw(ContentType)
	kind, _, _ := strings.Cut(a.ContentType, ";")
	path, _, _ := strings.Cut(a.URI, "?")
	switch strings.ToLower(strings.TrimSpace(kind)) {
	case "application/vnd.apple.mpegurl", "audio/mpegurl":
	default:
		// 4: by its Content-Type, or by how its path ends.
		if !strings.HasSuffix(path, ".m3u8") && !strings.HasSuffix(path, ".m3u") {
			f.add(ContentType, "a playlist with Content-Type %q", a.ContentType)
		}
	}
	f.saw(Compressed)
	if a.Encoding == "" {
		f.add(Compressed, "playlists are sent as they are to who takes gzip")
	}
	if a.Secure {
		f.saw(HTTPVersion)
		if a.Major < 2 {
			f.add(HTTPVersion, "playlists come over HTTP/1.1")
		}
	}
}

// Reload checks that the newest version, which was the answer to a blocking reload, is what had been asked for: segment
// msn as a whole, or with part 0 or more that part of it. It is to be called after Playlist.
func (c *Checker) Reload(msn, part int64) []Violation {
	f := c.open()
	f.saw(BlockingReload)
	edge, ok := c.Edge()
	if !ok || c.last.EndList {
		return nil
	}
	complete := edge.MSN
	if c.wasOpen() {
		complete--
	}
	there := complete >= msn
	if part >= 0 {
		// 6.2.5.2: a part past the last of its segment is part 0 of the next one.
		there = edge.MSN > msn || edge.MSN == msn && int64(edge.Part) >= part
	}
	if !there {
		f.add(BlockingReload, "asked for segment %d part %d, the answer ends at segment %d part %d", msn, part, edge.MSN, edge.Part)
	}
	return f.list
}

// Note counts something that was tried out against a rule. What is wrong goes into broken, empty where nothing is.
func (c *Checker) Note(r Rule, broken string) []Violation {
	f := c.open()
	f.saw(r)
	if broken != "" {
		f.add(r, "%s", broken)
	}
	return f.list
}
