package static

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/go-chi/chi/v5"
	"github.com/stretchr/testify/require"
)

// patience bounds every wait for a browser, which may share its machine with other tests.
const patience = time.Minute

// backend plays the rooms behind the pages: it answers what a test tells it to, and remembers what it was asked.
type backend struct {
	mu      sync.Mutex
	streams string // the JSON of GET /api/streams; empty answers 500
	status  int    // of POST /whip/...
	problem string // its body
	after   string // its Retry-After
	offers  []offer
	asked   []string // paths under /hls/
	lists   int      // how often the streams were asked for
	token   string   // that GET /api/streams asks for; empty: none
	locked  bool     // everything under /hls/ is answered with 403
	server  *httptest.Server
}

// offer is one POST to /whip/....
type offer struct{ Path, Token, ContentType, SDP string }

func newBackend(t *testing.T) *backend {
	t.Helper()
	b := &backend{streams: `{"streams":[]}`, status: http.StatusUnprocessableEntity, problem: `{"title":"refused"}`}
	r := chi.NewRouter()
	Routes(r)
	r.Get("/api/streams", b.api)
	r.Post("/whip/{stream}", b.whip)
	r.Get("/hls/*", b.hls)
	r.Get("/frame", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, `<!doctype html><iframe width="640" height="360" src="`+html.EscapeString(r.URL.Query().Get("src"))+`"></iframe>`) // the page went away
	})
	b.server = httptest.NewServer(r)
	t.Cleanup(b.server.Close)
	return b
}

func (b *backend) api(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lists++
	if b.token != "" && r.Header.Get("Authorization") != "Bearer "+b.token {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"detail":"not a token of this test"}`)
		return
	}
	if b.streams == "" {
		http.Error(w, "down", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte(b.streams))
}

func (b *backend) whip(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	sdp, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		sdp = []byte(err.Error())
	}
	b.offers = append(b.offers, offer{r.URL.String(), r.Header.Get("Authorization"), r.Header.Get("Content-Type"), string(sdp)})
	if b.after != "" {
		w.Header().Set("Retry-After", b.after)
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(b.status)
	_, _ = w.Write([]byte(b.problem))
}

func (b *backend) hls(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked = append(b.asked, r.URL.Path)
	if b.locked {
		http.Error(w, "no", http.StatusForbidden)
		return
	}
	http.NotFound(w, r)
}

// set changes what the backend answers.
func (b *backend) set(f func(*backend)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f(b)
}

// TestMain ends the browser, if a test wanted one.
func TestMain(m *testing.M) {
	code := m.Run()
	if end := running.end; end != nil {
		end()
	}
	os.Exit(code)
}

// running is the one browser of all tests: starting takes longer than many a test. Tabs share nothing that pages keep.
var running struct {
	once sync.Once
	ctx  context.Context
	err  error
	end  func()
}

// chromium is a headless browser with a profile of its own.
func chromium(t *testing.T) context.Context {
	t.Helper()
	if testing.Short() {
		t.Skip("Chromium takes its time")
	}
	path, err := exec.LookPath("chromium")
	if err != nil && os.Getenv("WHIPSAW_REQUIRE_TOOLS") == "1" {
		t.Fatal("chromium is missing and WHIPSAW_REQUIRE_TOOLS=1: apt-get install chromium")
	}
	if err != nil {
		t.Skip("chromium is missing: apt-get install chromium")
	}
	running.once.Do(func() { startChromium(path) })
	require.NoError(t, running.err, "Chromium starts")
	return running.ctx
}

func startChromium(path string) {
	profile, err := os.MkdirTemp("", "whipsaw-pages-")
	if err != nil {
		running.err = err
		return
	}
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.UserDataDir(profile), chromedp.WSURLReadTimeout(patience), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("use-fake-device-for-media-stream", true), chromedp.Flag("use-fake-ui-for-media-stream", true),
		chromedp.Flag("autoplay-policy", "no-user-gesture-required"),
	)...)
	running.ctx, _ = chromedp.NewContext(allocator) // ended by Cancel
	running.end = func() {
		if err := errors.Join(chromedp.Cancel(running.ctx), os.RemoveAll(profile)); err != nil {
			fmt.Fprintln(os.Stderr, "Chromium ended with", err)
		}
		cancel()
	}
	running.err = chromedp.Do(running.ctx)
}

// tab is one page in a browser.
type tab struct {
	t   *testing.T
	ctx context.Context
}

// looks is how a page is shown.
type looks struct {
	name          string
	width, height int64
	scale         float64
	dark, touch   bool
}

var (
	desktop = looks{name: "desktop", width: 1280, height: 800, scale: 1}
	phone   = looks{name: "phone", width: 390, height: 844, scale: 2, touch: true}
)

// collect runs before the scripts of a page and remembers every fault.
const collect = `window.faults = [];
addEventListener('error', e => faults.push('error: ' + (e.message || e.target.src || e.target.href)), true);
addEventListener('unhandledrejection', e => faults.push('rejection: ' + e.reason));
document.addEventListener('securitypolicyviolation', e => faults.push('policy: ' + e.violatedDirective + ' ' + e.blockedURI));`

// open shows an address in a new tab.
func open(t *testing.T, browser context.Context, l looks, url string) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser)
	t.Cleanup(cancel)
	p := &tab{t: t, ctx: ctx}
	scheme := "light"
	if l.dark {
		scheme = "dark"
	}
	options := []chromedp.EmulateViewportOption{chromedp.EmulateScale(l.scale)}
	if l.touch {
		options = append(options, chromedp.EmulateMobile, chromedp.EmulateTouch)
	}
	require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(l.width, l.height, options...), chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		features := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}
		if _, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features}); err != nil {
			return err
		}
		_, err := cdp.Call(ctx, target, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: collect})
		return err
	})))
	p.do(chromedp.Navigate(url))
	return p
}

// do runs an action that has no result.
func (p *tab) do(action chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	require.NoError(p.t, chromedp.Do(ctx, action))
}

// evaluate returns the value of an expression, or of the promise that it gives.
func evaluate[T any](p *tab, expression string) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	out, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	require.NoError(p.t, err, expression)
	return out
}

// until waits in the page for a condition.
func (p *tab) until(condition string) {
	p.t.Helper()
	ok := evaluate[bool](p, `new Promise(done => { const begun = performance.now(), look = () => {
		if (`+condition+`) return done(true);
		if (performance.now() - begun > 30000) return done(false);
		setTimeout(look, 50);
	}; look(); })`)
	require.True(p.t, ok, "%s\nnever came; the page: %s", condition, evaluate[string](p, "document.body.innerText"))
}

// keys presses keys, one after the other.
func (p *tab) keys(keys string) {
	p.t.Helper()
	p.do(chromedp.KeyEvent(keys))
}

// text is what an element shows.
func (p *tab) text(id string) string {
	p.t.Helper()
	return evaluate[string](p, `document.getElementById('`+id+`').textContent`)
}

// healthy fails the test if the page had a fault that is not among the allowed ones.
func (p *tab) healthy() {
	p.t.Helper()
	require.Empty(p.t, evaluate[[]string](p, "window.faults"))
}

// keep saves what the page looks like among the artifacts of the test.
func (p *tab) keep(name string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	require.NoError(p.t, err)
	require.NoError(p.t, os.WriteFile(filepath.Join(p.t.ArtifactDir(), name+".png"), picture, 0o600))
}

// quoted is a Go string as a JavaScript one.
func quoted(s string) string {
	b, _ := json.Marshal(s) // a string always has a JSON form
	return string(b)
}
