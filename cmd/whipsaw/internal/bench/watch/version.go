package watch

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"sync"
	"time"

	"whipsaw/segmenter/playlist"
)

// place is where a part stands: in a segment, by media sequence number, and in it.
type place struct {
	msn  int64
	part int
}

func (p place) before(o place) bool { return p.msn < o.msn || p.msn == o.msn && p.part < o.part }

// media is a part as a version of a playlist lists it.
type media struct {
	place
	target      string // path and query, with the viewer's secret taken out
	name        string // path alone: the same for all viewers
	duration    time.Duration
	independent bool
	init        string // target of its EXT-X-MAP; empty: none
	gap         bool
}

// version is one version of a media playlist as a viewer needs it. It is immutable, and shared by all viewers.
type version struct {
	parts   []media // oldest first; only the newest segments list theirs
	next    place   // what comes after the newest
	hint    string  // target of the part that EXT-X-PRELOAD-HINT announces; empty: none
	reports []report
	control playlist.ServerControl
	target  time.Duration // PART-TARGET
	ended   bool
}

// report is EXT-X-RENDITION-REPORT: the newest part of another playlist.
type report struct {
	name string // path of the playlist
	place
}

// errNotLive means that a playlist cannot be followed part by part.
var errNotLive = errors.New("no low-latency playlist: it has no parts, or requests for it cannot block")

// newest is the last part listed; false if there is none.
func (v *version) newest() (media, bool) {
	if len(v.parts) == 0 {
		return media{}, false
	}
	return v.parts[len(v.parts)-1], true
}

// after returns the parts that stand behind a place.
func (v *version) from(p place) []media {
	for i := len(v.parts); i > 0; i-- {
		if v.parts[i-1].before(p) {
			return v.parts[i:]
		}
	}
	return v.parts
}

// read makes a version of a playlist; base is its own path.
func read(text []byte, base *url.URL) (*version, error) {
	p, err := playlist.ParseMedia(text)
	if err != nil {
		return nil, err
	}
	if p.PartInf.PartTarget == 0 || !p.ServerControl.CanBlockReload {
		return nil, errNotLive
	}
	v := &version{control: p.ServerControl, target: p.PartInf.PartTarget, ended: p.EndList}
	msn := p.MediaSequence
	if p.Skip != nil {
		msn += int64(p.Skip.SkippedSegments)
	}
	init := ""
	for i := range p.Segments {
		s := &p.Segments[i]
		if s.Map != nil {
			if init, err = resolve(base, s.Map.URI); err != nil {
				return nil, err
			}
		}
		for k, part := range s.Parts {
			m := media{place: place{msn, k}, duration: part.Duration, independent: part.Independent, init: init, gap: part.Gap}
			if m.target, err = resolve(base, part.URI); err != nil {
				return nil, err
			}
			m.name, _, _ = strings.Cut(m.target, "?")
			v.parts = append(v.parts, m)
		}
		if v.next = (place{msn, len(s.Parts)}); !s.Open() {
			v.next = place{msn + 1, 0}
		}
		msn++
	}
	return v, v.announced(&p, base)
}

// announced takes what stands below the segments.
func (v *version) announced(p *playlist.MediaPlaylist, base *url.URL) (err error) {
	for _, h := range p.PreloadHints {
		if h.Type == playlist.HintPart {
			if v.hint, err = resolve(base, h.URI); err != nil {
				return err
			}
		}
	}
	for _, r := range p.RenditionReports {
		target, err := resolve(base, r.URI)
		if err != nil {
			return err
		}
		name, _, _ := strings.Cut(target, "?")
		v.reports = append(v.reports, report{name, place{r.LastMSN, r.LastPart}})
	}
	return nil
}

// errElsewhere means that a server sends its viewers to another host, to which nobody has agreed.
var errElsewhere = errors.New("it leads to another host")

// resolve returns path and query of a URI, which must not lead to another host.
func resolve(base *url.URL, uri string) (string, error) {
	u, err := base.Parse(uri)
	if err != nil {
		return "", fmt.Errorf("URI %q: %w", uri, err)
	}
	if u.Host != base.Host || u.Scheme != base.Scheme {
		return "", fmt.Errorf("URI %q: %w", uri, errElsewhere)
	}
	return u.RequestURI(), nil
}

// library remembers the newest versions of one playlist, so that only its first viewer reads each.
type library struct {
	mu    sync.Mutex
	shelf [8]known // in turn
	at    int
}

type known struct {
	text []byte // as it came, but for the secret
	v    *version
}

// placeholder stands for a viewer's secret: a character that no URI has.
const placeholder = "~~secret~~"

// version returns the version that body is. secret is what the server gave this viewer alone to put into its requests;
// empty if it gave nothing.
func (l *library) version(body []byte, compressed bool, base *url.URL, secret string) (*version, error) {
	text := body
	if secret != "" {
		var err error
		if text, err = plain(body, compressed); err != nil {
			return nil, err
		}
		text, compressed = bytes.ReplaceAll(text, []byte(secret), []byte(placeholder)), false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.shelf {
		if bytes.Equal(l.shelf[i].text, text) && len(text) > 0 {
			return l.shelf[i].v, nil
		}
	}
	readable, err := plain(text, compressed)
	if err != nil {
		return nil, err
	}
	v, err := read(readable, base)
	if err != nil {
		return nil, err
	}
	l.shelf[l.at] = known{bytes.Clone(text), v}
	l.at = (l.at + 1) % len(l.shelf)
	return v, nil
}

// maxPlaylist bounds what a compressed playlist may unfold to.
const maxPlaylist = 8 << 20

func plain(b []byte, compressed bool) ([]byte, error) {
	if !compressed {
		return b, nil
	}
	r, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(r, maxPlaylist))
}
