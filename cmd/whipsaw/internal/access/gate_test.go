package access

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

var discard = slog.New(slog.DiscardHandler)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// gate is one for a test, and its log.
func gate(t *testing.T, cfg Config) (*Gate, *logged) {
	t.Helper()
	log := &logged{}
	g, err := New(cfg, slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	require.NoError(t, err)
	t.Cleanup(g.Close)
	return g, log
}

// logged is a bytes.Buffer for several goroutines.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func token(t require.TestingT, right Right, pattern, secret string) Token {
	made, err := NewToken(right, pattern, secret)
	require.NoError(t, err)
	return made
}

func may(g *Gate, right Right, stream, token string) error {
	return g.Authorize(context.Background(), Request{Right: right, Stream: stream, Token: token})
}

func TestTokens(t *testing.T) {
	sum := sha256.Sum256([]byte("hidden"))
	g, log := gate(t, Config{Tokens: []Token{
		token(t, Publish, "*", "master"), token(t, Publish, "studio-*", "studio="), token(t, Publish, "yard", "studio="),
		token(t, Watch, "*", "eyes"), token(t, Watch, "yard", "both"), token(t, Publish, "attic", "both"),
		token(t, Publish, "cellar", "sha256:"+strings.ToUpper(hex.EncodeToString(sum[:]))),
	}})
	for _, c := range []struct {
		right         Right
		stream, token string
		want          error
	}{
		{Publish, "any", "master", nil}, {Watch, "any", "master", nil},
		{Publish, "studio-1", "studio=", nil}, {Publish, "yard", "studio=", nil}, {Publish, "studio", "studio=", ErrRight},
		{Publish, "live", "studio=", ErrRight}, {Watch, "studio-1", "studio=", nil}, {Watch, "live", "studio=", ErrRight},
		{Watch, "live", "eyes", nil}, {Publish, "live", "eyes", ErrRight},
		{Watch, "yard", "both", nil}, {Publish, "yard", "both", ErrRight}, {Publish, "attic", "both", nil}, {Watch, "attic", "both", nil}, {Watch, "live", "both", ErrRight},
		{Publish, "cellar", "hidden", nil}, {Publish, "live", "hidden", ErrRight},
		{Publish, "cellar", "sha256:" + hex.EncodeToString(sum[:]), ErrToken}, // a digest is no token
		{Publish, "any", "Master", ErrToken}, {Publish, "any", "maste", ErrToken}, {Publish, "any", "masters", ErrToken}, {Publish, "any", "", ErrToken},
		{Publish, "any", "studio-*=studio=", ErrToken},
	} {
		require.Equal(t, c.want, may(g, c.right, c.stream, c.token), "%v", c)
	}
	require.Empty(t, log.String())
}

// Whatever stands before and after an entry, it is compared with all the same.
func TestEveryTokenIsCompared(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		secrets := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c"}), 0, 8).Draw(t, "secrets")
		var tokens []Token
		var want []string
		for i, s := range secrets {
			pattern := string(rune('p' + i))
			tokens = append(tokens, token(t, Publish, pattern, s))
			if s == "b" {
				want = append(want, pattern)
			}
		}
		who, known := lookup(tokens, "b")
		require.Equal(t, len(want) > 0, known)
		var got []string
		for _, t := range who.tokens {
			got = append(got, t.Pattern)
		}
		require.Equal(t, want, got)
	})
}

// A token gives no right to streams that are left out of its pattern, to publish or to watch.
func TestTokenLeavesOut(t *testing.T) {
	some := token(t, Publish, "studio-*", "some")
	some.Except = []string{"studio-1", "studio-x*"}
	g, _ := gate(t, Config{Tokens: []Token{some, token(t, Watch, "studio-1", "eyes")}})
	for stream, want := range map[string]bool{"studio-2": true, "studio-1": false, "studio-x1": false, "studio-11": true, "other": false} {
		for _, right := range []Right{Publish, Watch} {
			err := g.Authorize(context.Background(), Request{Right: right, Stream: stream, Token: "some"})
			require.Equal(t, want, err == nil, "%s %s", right, stream)
		}
	}
	require.NoError(t, g.Authorize(context.Background(), Request{Right: Watch, Stream: "studio-1", Token: "eyes"}))
}

func TestNewTokenRefuses(t *testing.T) {
	for pattern, want := range map[string]error{
		"*": nil, "a": nil, "a*b-*": nil, ".a": nil, "": ErrPattern, "a b": ErrPattern, "a=": ErrPattern, "a/b": ErrPattern, "ä": ErrPattern, "a?": ErrPattern,
		strings.Repeat("a", maxPattern): nil, strings.Repeat("a", maxPattern+1): ErrPattern,
	} {
		_, err := NewToken(Publish, pattern, "x")
		require.Equal(t, want, err, pattern)
	}
	for _, secret := range []string{"sha256:", "sha256:abc", "sha256:" + strings.Repeat("g", 64), "sha256:" + strings.Repeat("a", 66)} {
		_, err := NewToken(Publish, "*", secret)
		require.Equal(t, ErrHash, err, secret)
	}
}

// A pattern is what a slow, plain matcher says.
func TestMatchModel(t *testing.T) {
	var slow func(p, s string) bool
	slow = func(p, s string) bool {
		switch {
		case p == "":
			return s == ""
		case p[0] == '*':
			return slow(p[1:], s) || s != "" && slow(p, s[1:])
		}
		return s != "" && p[0] == s[0] && slow(p[1:], s[1:])
	}
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.StringMatching(`[ab*]{0,8}`).Draw(t, "pattern")
		s := rapid.StringMatching(`[ab]{0,8}`).Draw(t, "name")
		require.Equal(t, slow(p, s), Match(p, s), "%q %q", p, s)
	})
}

func TestWatchable(t *testing.T) {
	g, _ := gate(t, Config{Tokens: []Token{token(t, Watch, "a*", "eyes"), token(t, Publish, "b", "eyes")}})
	sees, err := g.Watchable(context.Background(), Request{Token: "eyes"})
	require.NoError(t, err)
	require.Equal(t, []string{"a1", "b"}, slices.DeleteFunc([]string{"a1", "b", "c"}, func(s string) bool { return !sees(s) }))
	for _, wrong := range []string{"", "no"} {
		_, err = g.Watchable(context.Background(), Request{Token: wrong})
		require.Equal(t, ErrToken, err)
	}
}

func TestReplace(t *testing.T) {
	g, _ := gate(t, Config{Tokens: []Token{token(t, Publish, "*", "old")}})
	require.False(t, g.Guarded())
	require.NoError(t, may(g, Publish, "a", "old"))
	require.NoError(t, g.Replace(Config{Tokens: []Token{token(t, Publish, "*", "new")}, WatchKeys: WatchKeys{watchKey}}))
	require.True(t, g.Guarded())
	require.Equal(t, ErrToken, may(g, Publish, "a", "old"))
	require.NoError(t, may(g, Publish, "a", "new"))
	require.Error(t, g.Replace(Config{JWT: JWT{Keys: "/no/such/file"}}))
	require.NoError(t, may(g, Publish, "a", "new"), "with an error all stays")
}

func TestStatus(t *testing.T) {
	for err, want := range map[error]int{ErrToken: http.StatusUnauthorized, ErrExpired: http.StatusUnauthorized, ErrRight: http.StatusForbidden, ErrUnavailable: http.StatusServiceUnavailable} {
		require.Equal(t, want, Status(err))
	}
}

// A token shows where it is good, and nothing by which it could be found.
func TestTokenIsNeverShown(t *testing.T) {
	one := token(t, Publish, "studio-*", "hunter2")
	log := &logged{}
	slog.New(slog.NewTextHandler(log, nil)).Info("x", "token", one, "tokens", []Token{one})
	asJSON, err := json.Marshal([]Token{one})
	require.NoError(t, err)
	all := fmt.Sprintf("%v %+v %#v %s %v", one, []Token{one}, []Token{one}, one, Config{Tokens: []Token{one}}) + log.String() + string(asJSON)
	sum := sha256.Sum256([]byte("hunter2"))
	for _, secret := range []string{"hunter2", hex.EncodeToString(sum[:]), fmt.Sprint(sum[0], sum[1], sum[2]), fmt.Sprintf("%d, %d", sum[0], sum[1])} {
		require.NotContains(t, all, secret)
	}
	require.Contains(t, all, "studio-*=[secret]")
}
