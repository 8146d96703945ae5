package api

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/stretchr/testify/require"

	"whipsaw/cmd/whipsaw/internal/access"
	"whipsaw/cmd/whipsaw/internal/events"
	"whipsaw/cmd/whipsaw/internal/insight"
	"whipsaw/segmenter"
)

// config is for an API without tokens.
func config(t *testing.T, reg *segmenter.Registry, gate *access.Gate, base string) Config {
	t.Helper()
	in := insight.New(insight.Config{}, slog.New(slog.DiscardHandler))
	in.Attach(reg)
	return Config{Registry: reg, Gate: gate, Insight: in, Base: base}
}

// kept are tokens that stay the same.
func kept(change, read string) func() Tokens {
	return func() Tokens { return Tokens{Change: change, Read: read} }
}

// desk is an API with one stream, "a", whose publisher has the session "s".
type desk struct {
	http.Handler
	Config
	pub *segmenter.Publisher
}

func newDesk(t *testing.T, change func(*Config)) *desk {
	t.Helper()
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	in := insight.New(insight.Config{}, log)
	cfg := segmenter.DefaultConfig()
	cfg.Observe = in.Observe
	reg := segmenter.NewRegistry(cfg, in.Log)
	t.Cleanup(reg.Close)
	in.Attach(reg)
	gate, err := access.New(access.Config{}, log)
	require.NoError(t, err)
	t.Cleanup(gate.Close)
	d := &desk{Config: Config{Registry: reg, Gate: gate, Insight: in, Version: "v1", Settings: map[string]any{"Part": "222ms"}}}
	change(&d.Config)
	d.pub, err = reg.Publish("a", segmenter.PublisherConfig{Session: "s", UserAgent: "Lavf/61.7.100", Tracks: []segmenter.TrackConfig{{Kind: segmenter.Video}}})
	require.NoError(t, err)
	r := chi.NewRouter()
	Routes(r, d.Config, log)
	d.Handler = r
	return d
}

func (d *desk) do(method, path, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	return w
}

// Who may do what: by tokens, and without them only where nobody else can ask.
func TestRights(t *testing.T) {
	const read, admin, wrong = "Bearer reader", "Bearer chief", "Bearer wrong"
	const chiefHashed = "sha256:9285827b8031a1dbe7d1d04eb8a08c8891ee424a8002cfc7dd2df3d82cbff611"
	tokens := func(c *Config) { c.Tokens = kept("chief", "reader") }
	for name, c := range map[string]struct {
		change              func(*Config)
		authorization       string
		list, snapshot, end int
	}{
		"no token set":                      {func(*Config) {}, "", 200, 403, 403},
		"no token set, shown one":           {func(*Config) {}, wrong, 200, 403, 403},
		"no token set, trusted":             {func(c *Config) { c.Trusted = true }, "", 200, 200, 200},
		"both set, none shown":              {tokens, "", 401, 401, 401},
		"both set, wrong":                   {tokens, wrong, 401, 401, 401},
		"both set, reader":                  {tokens, read, 200, 200, 403},
		"both set, chief":                   {tokens, admin, 200, 200, 200},
		"both set, trusted":                 {func(c *Config) { tokens(c); c.Trusted = true }, "", 401, 401, 401},
		"admin set":                         {func(c *Config) { c.Tokens = kept("chief", "") }, "", 200, 401, 401},
		"admin set, chief":                  {func(c *Config) { c.Tokens = kept("chief", "") }, admin, 200, 200, 200},
		"admin set, trusted":                {func(c *Config) { c.Tokens, c.Trusted = kept("chief", ""), true }, "", 200, 401, 401},
		"reader set, none shown":            {func(c *Config) { c.Tokens = kept("", "reader") }, "", 401, 403, 403},
		"reader set, trusted":               {func(c *Config) { c.Tokens, c.Trusted = kept("", "reader"), true }, "", 401, 403, 200},
		"reader set, reader":                {func(c *Config) { c.Tokens = kept("", "reader") }, read, 200, 200, 403},
		"admin hashed, chief":               {func(c *Config) { c.Tokens = kept(chiefHashed, "") }, admin, 200, 200, 200},
		"admin hashed, the hash itself":     {func(c *Config) { c.Tokens = kept(chiefHashed, "") }, "Bearer " + chiefHashed, 200, 401, 401},
		"an empty token is nobody's":        {tokens, "Bearer ", 401, 401, 401},
		"another scheme is no bearer token": {tokens, "Basic chief", 401, 401, 401},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, c.change)
			for _, ask := range []struct {
				method, path string
				status       int
			}{
				{"GET", "/api/streams", c.list}, {"GET", "/api/streams/a", c.list}, {"GET", "/api/streams/a/findings", c.list}, {"GET", "/api/streams/a/viewers", c.list},
				{"GET", "/api/openapi.yaml", 200}, {"GET", "/api/streams/a/snapshot", c.snapshot}, {"POST", "/api/streams/a/kick", c.end},
			} {
				w := d.do(ask.method, ask.path, "", "Authorization", c.authorization)
				require.Equal(t, ask.status, w.Code, "%s %s: %s", ask.method, ask.path, w.Body)
				require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
				require.Equal(t, ask.status == 401, w.Header().Get("WWW-Authenticate") != "")
			}
		})
	}
}

// The page of somebody else, shown by this machine's browser, changes nothing.
func TestForeignPage(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.Trusted = true })
	require.Equal(t, 403, d.do("POST", "/api/streams/a/kick", "", "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site").Code)
	require.Equal(t, 403, d.do("DELETE", "/api/streams/a", "", "Origin", "https://evil.example").Code)
	require.Equal(t, 200, d.do("DELETE", "/api/streams/a", "", "Origin", "http://example.com", "Sec-Fetch-Site", "same-origin").Code)
}

// Tokens change while the server runs.
func TestTokensChange(t *testing.T) {
	now := Tokens{Change: "old"}
	d := newDesk(t, func(c *Config) { c.Tokens = func() Tokens { return now } })
	kick := func(token string) int {
		return d.do("POST", "/api/streams/a/kick", "", "Authorization", "Bearer "+token).Code
	}
	require.Equal(t, 200, kick("old"))
	now = Tokens{Change: "new", Read: "old"}
	require.Equal(t, 403, kick("old"))
	require.Equal(t, 200, kick("new"))
	now = Tokens{}
	require.Equal(t, 403, kick("new"))
}

// Tokens cannot be found by trying.
func TestOperatorGuesses(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.Tokens = kept("chief", "") })
	for range guessBurst {
		require.Equal(t, 401, d.do("POST", "/api/streams/a/kick", "", "Authorization", "Bearer x").Code)
	}
	require.Equal(t, 429, d.do("POST", "/api/streams/a/kick", "", "Authorization", "Bearer x").Code)
	require.Equal(t, 429, d.do("POST", "/api/streams/a/kick", "", "Authorization", "Bearer chief").Code, "nor is the right one told apart")
}

func TestKick(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.Trusted = true })
	for _, body := range []string{`{"block": "-1s"}`, `{"block": "25h"}`, `{"block": "x"}`, `{"block": 3}`, `{"blcok": "1s"}`, `[`, `{"block":"` + strings.Repeat(" ", maxKickBody) + `"}`} {
		require.Equal(t, 400, d.do("POST", "/api/streams/a/kick", body).Code, body)
	}
	var out Kicked
	w := d.do("POST", "/api/streams/a/kick", `{"block": "1h"}`)
	require.Equal(t, 200, w.Code)
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &out))
	require.Equal(t, "s", out.Session)
	require.WithinDuration(t, time.Now().Add(time.Hour), *out.BlockedUntil, time.Minute)
	<-d.pub.Done()
	require.Equal(t, segmenter.ReasonKicked, d.pub.Reason())
	_, err := d.Registry.Publish("a", segmenter.PublisherConfig{Tracks: []segmenter.TrackConfig{{Kind: segmenter.Video}}})
	require.ErrorIs(t, err, segmenter.ErrBlocked)
	require.Contains(t, d.do("GET", "/api/streams/a", "").Body.String(), `"blocked_until"`)
	require.Equal(t, 409, d.do("POST", "/api/streams/a/kick", `{"block": "0s"}`).Code, "nobody is there any more, and the block is lifted")
	_, blocked := d.Registry.Blocked("a")
	require.False(t, blocked)
	require.Equal(t, 404, d.do("POST", "/api/streams/no%20name/kick", "").Code)
	require.Equal(t, 404, d.do("DELETE", "/api/streams/unknown", "").Code)
	require.Equal(t, 409, d.do("DELETE", "/api/streams/a", "").Code, "nothing was published")
}

// A snapshot has what a bug report needs, and no secret.
func TestSnapshot(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.Tokens = kept("chief-secret", "reader-secret") })
	d.Insight.Log.Info("something", "stream", "a", "session", "s")
	w := d.do("GET", "/api/streams/a/snapshot", "", "Authorization", "Bearer reader-secret")
	var out Snapshot
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &out))
	require.Equal(t, "a", out.Stream.Name)
	require.Equal(t, "v1", out.Version)
	require.Contains(t, out.Log[len(out.Log)-1].Text, "something session=s")
	require.NotContains(t, w.Body.String(), "-secret")
	require.Equal(t, 404, d.do("GET", "/api/streams/b/snapshot", "", "Authorization", "Bearer chief-secret").Code)
}

// Events are sent as they happen, and only those of one stream where that is asked for.
func TestEvents(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.Trusted = true })
	web := httptest.NewServer(d)
	defer web.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, web.URL+"/api/events?stream=a", nil)
	require.NoError(t, err)
	answer, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer answer.Body.Close()
	require.Equal(t, "text/event-stream", answer.Header.Get("Content-Type"))
	lines := bufio.NewScanner(answer.Body)
	next := func(prefix string) string {
		for lines.Scan() {
			if rest, ok := strings.CutPrefix(lines.Text(), prefix); ok {
				return rest
			}
		}
		t.Fatalf("no %q came: %v", prefix, lines.Err())
		return ""
	}
	next(": listening")
	d.Insight.Hub.Publish(events.Event{Type: "live", Stream: "b"})
	d.pub.Close(segmenter.ReasonPeerClosed)
	require.Equal(t, "publish-ended", next("event: "))
	var e events.Event
	require.NoError(t, json.Unmarshal([]byte(next("data: ")), &e))
	require.Equal(t, []string{"a", "s", "peer-closed"}, []string{e.Stream, e.Session, e.Reason})
	d.Insight.Hub.Close()
	require.False(t, lines.Scan() && lines.Text() != "", "the server ends, and so does this")
	require.Equal(t, 503, d.do("GET", "/api/events", "").Code)
	require.Equal(t, 404, d.do("GET", "/api/events?stream=../x", "").Code)
}
