package server

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// seen is the request behind trust's middleware.
func seen(x trust, peer, host string, headers ...string) *http.Request {
	var got *http.Request
	h := x.client(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r }))
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RemoteAddr, r.Host = peer, host
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	h.ServeHTTP(httptest.NewRecorder(), r)
	return got
}

var ours = trust{proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("2001:db8::/64")}}

func TestTrustedProxies(t *testing.T) {
	for _, c := range []struct {
		what, peer string
		headers    []string
		want       string
	}{
		{"no proxy", "192.0.2.1:5", []string{"X-Forwarded-For", "203.0.113.9"}, "192.0.2.1:5"},
		{"no proxy", "192.0.2.1:5", []string{"Forwarded", "for=203.0.113.9"}, "192.0.2.1:5"},
		{"no header", "10.0.0.1:5", nil, "10.0.0.1:5"},
		{"one hop", "10.0.0.1:5", []string{"X-Forwarded-For", "203.0.113.9"}, "203.0.113.9:0"},
		{"a proxy in IPv6 clothes", "[::ffff:10.0.0.1]:5", []string{"X-Forwarded-For", "203.0.113.9"}, "203.0.113.9:0"},
		{"an IPv6 proxy", "[2001:db8::7]:5", []string{"X-Forwarded-For", "2001:db8:1::9"}, "[2001:db8:1::9]:0"},
		{"what the client invented stands further left", "10.0.0.1:5", []string{"X-Forwarded-For", "127.0.0.1, 203.0.113.9"}, "203.0.113.9:0"},
		{"over two lines", "10.0.0.1:5", []string{"X-Forwarded-For", "127.0.0.1", "X-Forwarded-For", "203.0.113.9"}, "203.0.113.9:0"},
		{"two proxies", "127.0.0.1:5", []string{"X-Forwarded-For", "203.0.113.9, 10.1.1.1"}, "203.0.113.9:0"},
		{"all proxies", "127.0.0.1:5", []string{"X-Forwarded-For", "10.2.2.2, 10.1.1.1"}, "10.2.2.2:0"},
		{"with a port", "10.0.0.1:5", []string{"X-Forwarded-For", "203.0.113.9:4711"}, "203.0.113.9:0"},
		{"IPv6 with a port", "10.0.0.1:5", []string{"X-Forwarded-For", "[2001:db8:1::9]:4711"}, "[2001:db8:1::9]:0"},
		{"zones hide nothing", "10.0.0.1:5", []string{"X-Forwarded-For", "203.0.113.9, ::ffff:10.1.1.1"}, "203.0.113.9:0"},
		{"no address", "10.0.0.1:5", []string{"X-Forwarded-For", "203.0.113.9, nobody"}, "unknown"},
		{"no address, but further left", "10.0.0.1:5", []string{"X-Forwarded-For", "nobody, 203.0.113.9"}, "203.0.113.9:0"},
		{"an empty one says nothing", "10.0.0.1:5", []string{"X-Forwarded-For", ""}, "10.0.0.1:5"},

		// RFC 7239 4
		{"standard", "10.0.0.1:5", []string{"Forwarded", `for=203.0.113.9;proto=https;host=video.example`}, "203.0.113.9:0"},
		{"standard", "10.0.0.1:5", []string{"Forwarded", `For="[2001:db8:1::9]:4711"`}, "[2001:db8:1::9]:0"},
		{"standard", "10.0.0.1:5", []string{"Forwarded", `for=192.0.2.43, for=203.0.113.9;by=10.0.0.2, for=10.1.1.1`}, "203.0.113.9:0"},
		{"obfuscated", "10.0.0.1:5", []string{"Forwarded", `for=_hidden`}, "unknown"},
		{"unknown", "10.0.0.1:5", []string{"Forwarded", `for=unknown`}, "unknown"},
		{"nobody said", "10.0.0.1:5", []string{"Forwarded", `proto=https`}, "unknown"},
		{"a quoted comma", "10.0.0.1:5", []string{"Forwarded", `for=192.0.2.1;x=", for=127.0.0.1"`}, "192.0.2.1:0"},
		{"an open quote swallows what was appended", "10.0.0.1:5", []string{"Forwarded", `for=127.0.0.1;x=", for=203.0.113.9`}, "unknown"},

		{"both agree", "10.0.0.1:5", []string{"X-Forwarded-For", "203.0.113.9", "Forwarded", "for=203.0.113.9"}, "203.0.113.9:0"},
		{"one was passed through", "10.0.0.1:5", []string{"X-Forwarded-For", "203.0.113.9", "Forwarded", "for=127.0.0.1"}, "unknown"},
		{"one was passed through", "10.0.0.1:5", []string{"X-Forwarded-For", "127.0.0.1", "Forwarded", "for=203.0.113.9"}, "unknown"},
		{"very many hops", "10.0.0.1:5", []string{"X-Forwarded-For", strings.Repeat("127.0.0.1, ", 10000) + "203.0.113.9"}, "203.0.113.9:0"},
	} {
		require.Equal(t, c.want, seen(ours, c.peer, "video.example", c.headers...).RemoteAddr, "%s: %v", c.what, c.headers)
	}
	require.Equal(t, "10.0.0.1:5", seen(trust{}, "10.0.0.1:5", "a", "X-Forwarded-For", "203.0.113.9").RemoteAddr, "none is trusted")
}

func TestForwardedHost(t *testing.T) {
	for _, c := range []struct {
		peer, host string
		closed     bool
		headers    []string
		want       string
	}{
		{"10.0.0.1:5", "127.0.0.1:8080", false, []string{"X-Forwarded-Host", "video.example"}, "video.example"},
		{"10.0.0.1:5", "127.0.0.1:8080", false, []string{"X-Forwarded-Host", "old.example, video.example:8443"}, "video.example:8443"},
		{"10.0.0.1:5", "127.0.0.1:8080", false, []string{"Forwarded", `for=192.0.2.1;host="video.example:8443"`}, "video.example:8443"},
		{"10.0.0.1:5", "127.0.0.1:8080", false, []string{"X-Forwarded-Host", "a/b"}, "127.0.0.1:8080"},
		{"10.0.0.1:5", "127.0.0.1:8080", false, []string{"X-Forwarded-Host", strings.Repeat("a", 256)}, "127.0.0.1:8080"},
		{"10.0.0.1:5", "127.0.0.1:8080", false, nil, "127.0.0.1:8080"},
		{"192.0.2.1:5", "127.0.0.1:8080", false, []string{"X-Forwarded-Host", "video.example"}, "127.0.0.1:8080"},
		// A server for this machine alone: a page that is let through under its own name cannot give itself another.
		{"127.0.0.1:5", "evil.example", true, []string{"X-Forwarded-Host", "localhost"}, "evil.example"},
		{"127.0.0.1:5", "127.0.0.1:8080", true, []string{"X-Forwarded-Host", "localhost:9000"}, "localhost:9000"},
		{"127.0.0.1:5", "127.0.0.1:8080", true, []string{"X-Forwarded-Host", "evil.example"}, "evil.example"},
	} {
		x := ours
		x.closed = c.closed
		require.Equal(t, c.want, seen(x, c.peer, c.host, c.headers...).Host, "%+v", c)
	}
}

// Without a token nobody is served whom a proxy of this machine brings from elsewhere, trusted or not.
func TestLocalClient(t *testing.T) {
	h := localClient(slog.New(slog.DiscardHandler))(hello)
	for _, c := range []struct {
		peer    string
		headers []string
		ok      bool
	}{
		{"127.0.0.1:5", nil, true},
		{"[::1]:5", nil, true},
		{"[::ffff:127.0.0.1]:5", nil, true},
		{"127.0.0.1:5", []string{"X-Forwarded-For", "127.0.0.1"}, true},
		{"127.0.0.1:5", []string{"X-Forwarded-For", "192.0.2.1"}, false},
		{"127.0.0.1:5", []string{"X-Forwarded-For", "192.0.2.1, 127.0.0.1"}, false},
		{"127.0.0.1:5", []string{"Forwarded", `for="[2001:db8::1]"`}, false},
		{"127.0.0.1:5", []string{"Forwarded", "for=_hidden"}, false},
		{"192.0.2.1:0", nil, false},
		{unknown, nil, false},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = c.peer
		for i := 0; i < len(c.headers); i += 2 {
			r.Header.Add(c.headers[i], c.headers[i+1])
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		require.Equal(t, c.ok, w.Code == http.StatusOK, "%+v", c)
		if !c.ok {
			require.Equal(t, http.StatusForbidden, w.Code)
			require.Contains(t, w.Body.String(), "WHIPSAW_PUBLISH_TOKEN", "it says what to do")
		}
	}
}

// Whatever the headers say, what comes out is an address or unknown, and a client that is no proxy itself never becomes
// one that it names left of what the proxy appended.
func FuzzForwarded(f *testing.F) {
	f.Add("127.0.0.1", `for=127.0.0.1;x="`)
	f.Add("1.1.1.1, ::1", `for="[::1]:5", for=_a;host=b`)
	f.Fuzz(func(t *testing.T, old, standard string) {
		if strings.ContainsAny(old+standard, "\r\n\x00") {
			return
		}
		const client = "203.0.113.9"
		for _, headers := range [][]string{
			{"X-Forwarded-For", old + ", " + client},
			{"Forwarded", standard + ", for=" + client},
			{"Forwarded", standard, "Forwarded", "for=" + client},
			{"X-Forwarded-For", old + ", " + client, "Forwarded", standard},
		} {
			got := seen(ours, "10.0.0.1:5", "a", headers...)
			require.Contains(t, []string{client + ":0", unknown}, got.RemoteAddr, "%q", headers)
			require.NotContains(t, got.Host, " ")
		}
	})
}
