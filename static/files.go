package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

//go:embed pages assets vendor docs
var files embed.FS

// contentTypes is complete on purpose: the types that the system knows differ from machine to machine.
var contentTypes = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
	".md":   "text/plain; charset=utf-8",
	"":      "text/plain; charset=utf-8", // the licenses
}

// site is everything this package serves, read once and never changed.
type site struct {
	version string           // hash over all assets, in their URLs
	pages   map[string]*file // by file name; those of the documentation are docs and docs/TOPIC
	assets  map[string]*file // by the name below /static/: those of assets/ alone, those of vendor/ with their folder
}

// file is one immutable embedded file.
type file struct {
	name, contentType, etag string // etag is quoted
	body                    []byte
	gzip                    func() []byte // made on first use; nil when it would not be smaller
}

// embedded is the site at the root of a server, read once per process.
var embedded = sync.OnceValue(func() *site {
	s := &site{assets: map[string]*file{}}
	all := sha256.New()
	for name, body := range read("assets", "vendor") {
		short := strings.TrimPrefix(name, "assets/")
		s.assets[short] = newFile(short, body)
	}
	for _, name := range slices.Sorted(maps.Keys(s.assets)) {
		all.Write([]byte(name + "\x00" + s.assets[name].etag + "\n"))
	}
	s.version = hex.EncodeToString(all.Sum(nil))[:versionLength]
	return s.below("")
})

// below is the same site for a server whose paths begin with prefix.
func (s *site) below(prefix string) *site {
	out := &site{version: s.version, assets: s.assets, pages: map[string]*file{}}
	pages := read("pages")
	addDocs(pages)
	for name, body := range pages {
		name = strings.TrimPrefix(name, "pages/")
		body = bytes.ReplaceAll(body, []byte(`="/static/`), []byte(`="/static/`+s.version+`/`))
		body = bytes.ReplaceAll(body, []byte(`="/`), []byte(`="`+prefix+`/`))
		out.pages[name] = newFile(strings.TrimSuffix(path.Base(name), ".html")+".html", body)
	}
	return out
}

// read returns the embedded files of the folders by path. What is large lies there as gzip has packed it, for the sake of
// the binary's size, and is returned unpacked, under the name without .gz.
func read(folders ...string) map[string][]byte {
	out := map[string][]byte{}
	for _, folder := range folders {
		err := fs.WalkDir(files, folder, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			body, err := files.ReadFile(name)
			if short, packed := strings.CutSuffix(name, ".gz"); packed && err == nil {
				name = short
				body, err = unpack(body)
			}
			out[name] = body
			return err
		})
		if err != nil {
			panic("static: embedded files cannot be read: " + err.Error())
		}
	}
	return out
}

func unpack(packed []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

func newFile(name string, body []byte) *file {
	sum := sha256.Sum256(body)
	return &file{
		name: name, contentType: contentTypes[path.Ext(name)], body: body,
		etag: `"` + hex.EncodeToString(sum[:12]) + `"`,
		gzip: sync.OnceValue(func() []byte { return compress(body) }),
	}
}

// compress returns nil when gzip would save less than a tenth.
func compress(body []byte) []byte {
	var b bytes.Buffer
	// Writing to memory at a known level cannot fail.
	z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
	_, _ = z.Write(body)
	_ = z.Close()
	if b.Len()*10 > len(body)*9 {
		return nil
	}
	return b.Bytes()
}

// serve writes f with its validators. A request for a range gets the plain bytes.
func (f *file) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", f.contentType)
	h.Add("Vary", "Accept-Encoding")
	body, etag := f.body, f.etag
	if r.Header.Get("Range") == "" && acceptsGzip(r.Header.Get("Accept-Encoding")) {
		if z := f.gzip(); z != nil {
			// RFC 9110 8.8.3: two encodings are two representations and need two strong tags.
			body, etag = z, strings.TrimSuffix(f.etag, `"`)+`-gzip"`
			h.Set("Content-Encoding", "gzip")
			h.Set("Content-Length", strconv.Itoa(len(z)))
		}
	}
	h.Set("ETag", etag)
	http.ServeContent(w, r, f.name, time.Time{}, bytes.NewReader(body))
}

// acceptsGzip reports whether an Accept-Encoding field allows gzip (RFC 9110 12.5.3; a weight of 0 forbids it).
func acceptsGzip(field string) bool {
	for coding := range strings.SplitSeq(field, ",") {
		name, weight, weighted := strings.Cut(strings.TrimSpace(coding), ";")
		if !strings.EqualFold(strings.TrimSpace(name), "gzip") {
			continue
		}
		q, err := strconv.ParseFloat(strings.TrimPrefix(strings.ToLower(strings.TrimSpace(weight)), "q="), 64)
		return !weighted || err == nil && q > 0
	}
	return false
}

const versionLength = 12 // hexadecimal digits

var versioned = regexp.MustCompile(`^[0-9a-f]{12}/`)

// splitVersion separates VERSION/NAME; version is empty where there is none.
func splitVersion(p string) (version, name string) {
	if !versioned.MatchString(p) {
		return "", p
	}
	return p[:versionLength], p[versionLength+1:]
}
