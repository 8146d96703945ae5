package signaling

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// RFC 9725 5: PATCHes of one session are bounded; the session goes on.
func TestRFC9725_5_PatchFlood(t *testing.T) {
	f := serve(t, Config{})
	r := f.post("/whip/live", plain)
	loc, etag := r.header.Get("Location"), r.header.Get("ETag")
	other := f.post("/whip/other", plain)
	const trickle = "m=audio 9 RTP/AVP 0\r\na=mid:a\r\na=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n"
	refused := 0
	for range 3 * patchBurst {
		switch r := f.patch(loc, etag, trickle); r.status {
		case http.StatusTooManyRequests:
			require.Equal(t, "rate", r.kind())
			require.Equal(t, "1", r.header.Get("Retry-After"))
			refused++
		default:
			require.Equal(t, http.StatusNoContent, r.status)
		}
	}
	require.Greater(t, refused, patchBurst)
	require.Equal(t, http.StatusNoContent, f.patch(other.header.Get("Location"), "*", trickle).status, "each session has its own count")
	require.Equal(t, http.StatusOK, f.do("DELETE", loc, "").status)
}

// RFC 9725 5: session URLs cannot be looked for by trying; who has one is not kept from it.
func TestRFC9725_5_SessionGuessing(t *testing.T) {
	f := serve(t, Config{})
	loc := f.post("/whip/live", plain).header.Get("Location")
	last := reply{}
	for range missBurst + 10 {
		last = f.do("DELETE", "/whip/live/guess", "")
	}
	require.Equal(t, http.StatusTooManyRequests, last.status)
	require.NotEmpty(t, last.header.Get("Retry-After"))
	require.Equal(t, http.StatusOK, f.do("DELETE", loc, "").status)
}

// What can be refused without the body is refused before the body has come, let alone anything has been made for it.
func TestRefusedBeforeTheBody(t *testing.T) {
	full := serve(t, Config{MaxSessions: 1})
	require.Equal(t, http.StatusCreated, full.post("/whip/live", plain).status)
	flooded := serve(t, Config{RateBurst: 1, RateLimit: 0.001})
	flooded.post("/whip/live", "x")
	closing := serve(t, Config{})
	closing.server.Drain()
	locked := serve(t, Config{Authorize: func(context.Context, Attempt) *Refusal { return &Refusal{Status: 401, Detail: "no"} }})
	var asking sync.WaitGroup
	for name, c := range map[string]struct {
		f       *fixture
		headers string
		status  int
	}{
		"too many sessions":      {full, "", 503},
		"too many POSTs":         {flooded, "", 429},
		"closing":                {closing, "", 503},
		"no token":               {locked, "", 401},
		"wrong token":            {locked, "Authorization: Bearer x\r\n", 401},
		"from another site":      {serve(t, Config{}), "Origin: https://evil.example\r\n", 403},
		"a body that is too big": {serve(t, Config{MaxBody: 100}), "", 413},
		"another type":           {serve(t, Config{}), "Content-Type: text/plain\r\n", 415},
	} {
		asking.Go(func() {
			if !strings.Contains(c.headers, "Content-Type") {
				c.headers += "Content-Type: application/sdp\r\n"
			}
			status, err := c.f.headersOnly("/whip/live", c.headers)
			if err != nil || status != c.status {
				t.Errorf("%s: %d, %v", name, status, err)
			}
		})
	}
	asking.Wait()
}

// headersOnly sends a POST whose body never comes and returns the status that it gets.
func (f *fixture) headersOnly(path, headers string) (int, error) {
	c, err := net.Dial("tcp", strings.TrimPrefix(f.http.URL, "http://"))
	if err != nil {
		return 0, err
	}
	defer c.Close()
	// less than BodyTimeout: nobody waited for the body
	if err := c.SetDeadline(time.Now().Add(8 * time.Second)); err != nil {
		return 0, err
	}
	if _, err := fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n%s\r\n", path, headers); err != nil {
		return 0, err
	}
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return 0, err
	}
	return res.StatusCode, res.Body.Close()
}

// A body without a length is read no further than the bound.
func TestEndlessBody(t *testing.T) {
	f := serve(t, Config{MaxBody: 4096})
	for length, want := range map[int64]int{4096: 400, 4097: 413, 1 << 40: 413} {
		body := io.MultiReader(strings.NewReader("v=0\r\n"), io.LimitReader(zeros{}, length-5))
		req, err := http.NewRequest(http.MethodPost, f.http.URL+"/whip/live", body)
		require.NoError(t, err)
		req.Header.Set("Content-Type", "application/sdp")
		res, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, want, res.StatusCode, "%d bytes in chunks", length)
	}
	require.Zero(t, f.server.Sessions())
}

// zeros reads on for ever.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) { return len(b), nil }

// A flood of good offers, from somebody with a token and many addresses say, fills the places that there are; who is live
// stays live, and the places come back.
func TestFloodOfGoodOffers(t *testing.T) {
	t.Parallel()
	f := serve(t, Config{MaxSessions: 20, ConnectTimeout: 2 * time.Second})
	f.sending(f.publish("live"))
	f.eventually("media", func() bool { st := f.status("live"); return st.Video != nil && st.Video.Packets > 20 })
	taken, refused := 0, 0
	for i := range 200 {
		switch r := f.post(fmt.Sprint("/whip/flood", i), plain); r.status {
		case http.StatusCreated:
			taken++
		default:
			require.Equal(t, http.StatusServiceUnavailable, r.status)
			refused++
		}
		require.LessOrEqual(t, f.server.Sessions(), 20)
	}
	require.GreaterOrEqual(t, taken, 19)
	require.NotZero(t, refused)
	before := f.status("live").Video
	f.eventually("media goes on", func() bool { return f.status("live").Video.Packets > before.Packets+20 })
	require.Nil(t, f.status("live").LastEnd)
	require.Zero(t, f.status("live").Video.Lost)
	f.eventually("the places are free again", func() bool { return f.server.Sessions() == 1 })
}
