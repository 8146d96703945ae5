package signaling

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// iceServer is what a publisher makes of one Link.
type iceServer struct{ url, user, password string }

// obsServers takes Link headers apart as OBS does: at every comma, then at every semicolon, also within quotes, and a URL
// counts only at the very beginning of its piece. What it makes of turns: is a server without a URL, which it leaves out.
func obsServers(headers []string) []iceServer {
	between := func(s, head, tail string) string {
		from, to := strings.Index(s, head)+1, strings.LastIndex(s, tail)
		if to < from {
			return ""
		}
		return s[from:to]
	}
	var out []iceServer
	for _, h := range headers {
		for _, link := range strings.Split(h, ",") {
			var s iceServer
			for _, token := range strings.Split(link, ";") {
				switch {
				case strings.HasPrefix(token, "<stun:"), strings.HasPrefix(token, "<turn:"):
					s.url = between(token, "<", ">")
				case strings.Contains(token, "username="):
					s.user = between(token, `"`, `"`)
				case strings.Contains(token, "credential="):
					s.password = between(token, `"`, `"`)
				}
			}
			if s.url != "" {
				out = append(out, s)
			}
		}
	}
	return out
}

const turnURL = "turn:turn.example.org:3478?transport=udp"

// RFC 9725 4.6: one Link for each ICE server with the 201, in a form that OBS reads.
func TestRFC9725_4_6_LinkOnCreated(t *testing.T) {
	f := serve(t, Config{ICEServers: ICEServers{
		URLs: []string{"stun:stun.example.org", turnURL, "turns:turn.example.org"}, User: "alice", Password: "s3cret/+=",
	}})
	r := f.post("/whip/live", recorded(t, "obs.sdp"))
	require.Equal(t, http.StatusCreated, r.status)
	const credentials = `; username="alice"; credential="s3cret/+="; credential-type="password"`
	require.Equal(t, []string{
		`<stun:stun.example.org>; rel="ice-server"`,
		`<turn:turn.example.org:3478?transport=udp>; rel="ice-server"` + credentials,
		`<turns:turn.example.org>; rel="ice-server"` + credentials,
	}, r.header.Values("Link"))
	want := []iceServer{{url: "stun:stun.example.org"}, {turnURL, "alice", "s3cret/+="}}
	require.Equal(t, want, obsServers(r.header.Values("Link")))
	require.Equal(t, want, obsServers([]string{strings.Join(r.header.Values("Link"), ",")}), "as some proxies join them")
	require.NotContains(t, f.logs.String(), "s3cret")

	require.Empty(t, f.post("/whip/live2", "x").header.Values("Link"), "who is refused learns nothing")
	require.Empty(t, serve(t, Config{}).post("/whip/live", plain).header.Values("Link"))
}

// Credentials from a shared secret: each session has its own, and they end by themselves.
func TestTURNCredentials(t *testing.T) {
	f := serve(t, Config{ICEServers: ICEServers{URLs: []string{turnURL}, Secret: "shared", Lifetime: time.Hour}})
	now := time.Unix(1_900_000_000, 0)
	f.server.now = func() time.Time { return now }
	servers := obsServers(f.post("/whip/Live-1.a", plain).header.Values("Link"))
	require.Len(t, servers, 1)
	require.Equal(t, strconv.FormatInt(now.Unix()+3600, 10)+":Live-1.a", servers[0].user)
	// as the TURN server checks it
	mac := hmac.New(sha1.New, []byte("shared"))
	mac.Write([]byte(servers[0].user))
	require.Equal(t, base64.StdEncoding.EncodeToString(mac.Sum(nil)), servers[0].password)
	user, password := turnCredentials("north", "live", time.Unix(1_900_003_600, 0))
	require.Equal(t, "1900003600:live", user)
	require.Equal(t, "HWUV7LWQV7iN1d2fvy2q5HMOfnY=", password, "as openssl has it")

	c, err := Config{ICEServers: ICEServers{URLs: []string{turnURL}, Secret: "x"}}.withDefaults()
	require.NoError(t, err)
	require.Equal(t, 24*time.Hour, c.ICEServers.Lifetime)
}

// RFC 9725 4.6: OPTIONS tells the servers as well, to who may publish and never in a preflight.
func TestRFC9725_4_6_LinkOnOptions(t *testing.T) {
	servers := ICEServers{URLs: []string{turnURL}, Secret: "shared"}
	f := serve(t, Config{Authorize: only("secret"), ICEServers: servers, RateBurst: 8, RateLimit: 0.001})
	links := func(headers ...string) []string {
		r := f.do("OPTIONS", "/whip/live", "", headers...)
		require.Equal(t, http.StatusOK, r.status)
		require.Equal(t, "application/sdp", r.header.Get("Accept-Post"))
		require.Equal(t, "no-store", r.header.Get("Cache-Control"))
		return r.header.Values("Link")
	}
	require.Empty(t, links())
	require.Empty(t, links("Authorization", "Bearer wrong"))
	require.Empty(t, links("Authorization", "Bearer secret", "Origin", "https://studio.example", "Access-Control-Request-Method", "POST"))
	require.Len(t, links("Authorization", "Bearer secret"), 1)
	require.Len(t, links("Authorization", "Bearer secret", "Origin", "https://studio.example"), 1)
	require.Empty(t, f.do("OPTIONS", "/whip/live/session", "", "Authorization", "Bearer secret").header.Values("Link"))
	for range 10 {
		links("Authorization", "Bearer guess")
	}
	require.Empty(t, links("Authorization", "Bearer secret"), "tokens cannot be tried out here without end")

	closed := serve(t, Config{ICEServers: servers})
	require.Len(t, closed.do("OPTIONS", "/whip/live", "").header.Values("Link"), 1)
	require.Empty(t, closed.do("OPTIONS", "/whip/live", "", "Origin", "https://evil.example").header.Values("Link"))
}

func TestICEServerSettings(t *testing.T) {
	for _, good := range []ICEServers{
		{},
		{URLs: []string{"stun:192.0.2.1", "stuns:stun.example.org:5349", "stun:[2001:db8::1]:3478", "stun:[::1]"}},
		{URLs: []string{"turn:h", "turns:h:443?transport=tcp", "turn:[::1]?transport=udp"}, Secret: "anything, even; this"},
		{URLs: []string{"turn:h"}, User: "u", Password: "p"},
	} {
		require.NoError(t, good.Check(), "%+v", good)
	}
	for name, bad := range map[string]ICEServers{
		"no scheme":               {URLs: []string{"stun.example.org"}},
		"other scheme":            {URLs: []string{"http://stun.example.org"}},
		"slashes":                 {URLs: []string{"stun://stun.example.org"}},
		"no host":                 {URLs: []string{"stun:"}},
		"no host but a port":      {URLs: []string{"stun::3478"}},
		"port 0":                  {URLs: []string{"stun:h:0"}},
		"big port":                {URLs: []string{"stun:h:65536"}},
		"IPv6 without brackets":   {URLs: []string{"stun:2001:db8::1"}},
		"IPv4 in brackets":        {URLs: []string{"stun:[192.0.2.1]"}},
		"zone":                    {URLs: []string{"stun:[fe80::1%eth0]"}},
		"user in the URL":         {URLs: []string{"turn:u@h"}, Secret: "s"},
		"query of STUN":           {URLs: []string{"stun:h?transport=udp"}},
		"other transport":         {URLs: []string{"turn:h?transport=sctp"}, Secret: "s"},
		"end of the URL":          {URLs: []string{"stun:h>; rel=x"}},
		"line feed":               {URLs: []string{"stun:h\r\nSet-Cookie: x"}},
		"TURN without a secret":   {URLs: []string{"turn:h"}},
		"user without a password": {URLs: []string{"turn:h"}, User: "u"},
		"password without a user": {URLs: []string{"turn:h"}, Password: "p"},
		"both":                    {URLs: []string{"turn:h"}, User: "u", Password: "p", Secret: "s"},
		"comma":                   {URLs: []string{"turn:h"}, User: "u", Password: "p,q"},
		"semicolon":               {URLs: []string{"turn:h"}, User: "u;v", Password: "p"},
		"quote":                   {URLs: []string{"turn:h"}, User: "u", Password: `p"`},
		"secret for nothing":      {URLs: []string{"stun:h"}, Secret: "s"},
		"no time":                 {URLs: []string{"turn:h"}, Secret: "s", Lifetime: -1},
	} {
		require.ErrorIs(t, bad.Check(), errICEServer, name)
		_, err := Config{ICEServers: bad}.withDefaults()
		require.ErrorIs(t, err, ErrConfig, name)
		require.NotContains(t, err.Error(), "p,q", "no secret in an error")
	}
}
