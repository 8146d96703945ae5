package watch

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whipsaw/cmd/whipsaw/internal/bench/mark"
)

// origin is a server of one stream, of which the test says when a part is there. It gives every viewer a session in the
// query, as some servers do, and refuses what comes without.
type origin struct {
	t *testing.T
	*httptest.Server

	mu       sync.Mutex
	next     int // part of segment 10
	ended    bool
	newer    chan struct{}
	asked    map[string]int // by path and directives, sessions left out
	sessions int
	break_   func(w http.ResponseWriter, r *http.Request) bool // answers instead if it wants to
}

func newOrigin(t *testing.T) *origin {
	o := &origin{t: t, next: 5, newer: make(chan struct{}), asked: map[string]int{}}
	o.Server = httptest.NewServer(o)
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		o.Close()
	})
	return o
}

func (o *origin) at(path string) *url.URL {
	u, err := url.Parse(o.URL + path)
	require.NoError(o.t, err)
	return u
}

func (o *origin) change(f func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f()
	close(o.newer)
	o.newer = make(chan struct{})
}

func (o *origin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	session := r.URL.Query().Get("s")
	key := strings.Replace(strings.Replace(r.URL.RequestURI(), "?s="+session+"&", "?", 1), "?s="+session, "", 1)
	o.mu.Lock()
	o.asked[key]++
	broken := o.break_
	o.mu.Unlock()
	if broken != nil && broken(w, r) {
		return
	}
	switch {
	case r.URL.Path == "/index.m3u8" && r.URL.RawQuery == "":
		http.Redirect(w, r, "/live/index.m3u8?check=1", http.StatusFound)
	case r.URL.Path == "/live/index.m3u8":
		o.mu.Lock()
		o.sessions++
		fmt.Fprintf(w, "#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"a\",URI=\"audio.m3u8?s=%d\"\n"+
			"#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO=\"a\"\nvideo.m3u8?s=%d\n", o.sessions, o.sessions)
		o.mu.Unlock()
	case session == "":
		http.Error(w, "no session", http.StatusForbidden)
	case strings.HasSuffix(r.URL.Path, ".m3u8"):
		o.playlist(w, r, session)
	default:
		w.Write(marked(o.t, mark.Mark{Publisher: 1, Sent: time.Now()}))
	}
}

func (o *origin) playlist(w http.ResponseWriter, r *http.Request, session string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if want, err := strconv.Atoi(r.URL.Query().Get("_HLS_part")); err == nil {
		for want >= o.next && !o.ended {
			newer := o.newer
			o.mu.Unlock()
			select {
			case <-newer:
			case <-r.Context().Done():
			}
			o.mu.Lock()
			if r.Context().Err() != nil {
				return
			}
		}
	}
	kind, other := "video", "audio"
	if strings.Contains(r.URL.Path, "audio") {
		kind, other = other, kind
	}
	fmt.Fprintf(w, "#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-TARGETDURATION:2\n"+
		"#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=0.6,CAN-SKIP-UNTIL=12.0\n"+
		"#EXT-X-PART-INF:PART-TARGET=0.2\n#EXT-X-MEDIA-SEQUENCE:10\n#EXT-X-MAP:URI=\"%s.mp4?s=%s\"\n", kind, session)
	for i := range o.next {
		independent := ""
		if i == 0 {
			independent = ",INDEPENDENT=YES"
		}
		fmt.Fprintf(w, "#EXT-X-PART:DURATION=0.2,URI=\"%s-%d.m4s?s=%s\"%s\n", kind, i, session, independent)
	}
	if o.ended {
		fmt.Fprint(w, "#EXT-X-ENDLIST\n")
		return
	}
	fmt.Fprintf(w, "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"%s-%d.m4s?s=%s\"\n", kind, o.next, session)
	fmt.Fprintf(w, "#EXT-X-RENDITION-REPORT:URI=\"%s.m3u8\",LAST-MSN=10,LAST-PART=%d\n", other, o.next-1)
}

// count is how often something was asked for.
func (o *origin) count(key string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.asked[key]
}

func (o *origin) eventually(what string, ok func() bool) {
	o.t.Helper()
	require.Eventually(o.t, ok, 20*time.Second, time.Millisecond, what)
}
