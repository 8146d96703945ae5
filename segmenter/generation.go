package segmenter

import (
	"crypto/rand"
	"encoding/base32"
	"strings"
	"sync/atomic"
	"time"
)

// Generation is one run of a stream's playlists, from its first segment to its EXT-X-ENDLIST. Its URIs are never used
// again. All methods are safe for any goroutine.
type Generation struct {
	id           string
	cfg          *Config
	started      time.Time
	renditions   [2]atomic.Pointer[Rendition]
	multivariant atomic.Pointer[Rendered]
	done         chan struct{}
	size         int64 // bytes that it keeps once it has ended; the stream's goroutine's alone
}

func newGeneration(cfg *Config, now time.Time) *Generation {
	return &Generation{id: newID(), cfg: cfg, started: now, done: make(chan struct{})}
}

// newID returns 80 random bits in lower case letters and digits.
func newID() string {
	var b [10]byte
	rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	return strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))
}

// ID is the random name in the URIs of this generation.
func (g *Generation) ID() string { return g.id }

// Started is when its first segment began.
func (g *Generation) Started() time.Time { return g.started }

// Rendition returns "video" or "audio", or nil where there is no such track.
func (g *Generation) Rendition(name string) *Rendition {
	for _, k := range []Kind{Video, Audio} {
		if k.String() == name {
			return g.renditions[k].Load()
		}
	}
	return nil
}

// Multivariant returns the multivariant playlist, or nil until every rendition has one whole segment.
func (g *Generation) Multivariant() *Rendered { return g.multivariant.Load() }

// Done is closed when EXT-X-ENDLIST stands in the playlists.
func (g *Generation) Done() <-chan struct{} { return g.done }
