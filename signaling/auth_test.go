package signaling

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// only lets those in who show one token.
func only(token string) func(context.Context, Attempt) *Refusal {
	return func(_ context.Context, a Attempt) *Refusal {
		if a.Token == token {
			return nil
		}
		return &Refusal{http.StatusUnauthorized, "not the token of this test"}
	}
}

// RFC 6750 3.1: 401 without a good token, 403 for one without the right; and 503 where it cannot be told.
func TestRFC6750_3_1_Refusals(t *testing.T) {
	var asked []Attempt
	f := serve(t, Config{Authorize: func(_ context.Context, a Attempt) *Refusal {
		asked = append(asked, a)
		return map[string]*Refusal{
			"t-none": {http.StatusUnauthorized, "who is that"}, "t-other": {http.StatusForbidden, "another stream"},
			"t-down": {http.StatusServiceUnavailable, "nobody answers"},
		}[a.Token]
	}})
	for token, want := range map[string]struct {
		status int
		kind   string
	}{
		"t-none": {401, "unauthorized"}, "t-other": {403, "forbidden"}, "t-down": {503, "undecided"}, "t-good": {201, ""},
	} {
		asked = nil
		r := f.post("/whip/live", plain, "Authorization", "Bearer "+token, "User-Agent", strings.Repeat("x", 300))
		require.Equal(t, want.status, r.status, token)
		require.Equal(t, want.status == 401, r.header.Get("WWW-Authenticate") != "", token)
		require.Equal(t, want.status == 503, r.header.Get("Retry-After") != "", token)
		if want.kind != "" {
			require.Equal(t, want.kind, r.kind())
		}
		require.Len(t, asked, 1)
		require.Equal(t, "live", asked[0].Stream)
		require.True(t, asked[0].Address.IsLoopback(), "%v", asked[0].Address)
		require.LessOrEqual(t, len(asked[0].UserAgent), 200)
	}
	require.NotContains(t, f.logs.String(), "t-")
}

// A session's own token stays good for it when it has expired; another one has to be good by itself; none is fine.
func TestTokenOfASession(t *testing.T) {
	good := "first"
	f := serve(t, Config{Authorize: func(_ context.Context, a Attempt) *Refusal { return only(good)(context.Background(), a) }})
	var locations []string
	for _, stream := range []string{"a", "b", "c", "d"} {
		locations = append(locations, f.post("/whip/"+stream, plain, "Authorization", "Bearer first").header.Get("Location"))
	}
	good = "second"
	end := func(i int, headers ...string) int { return f.do("DELETE", locations[i], "", headers...).status }
	require.Equal(t, http.StatusUnauthorized, end(0, "Authorization", "Bearer third"))
	require.Equal(t, http.StatusUnauthorized, end(0, "Authorization", "Basic Zmlyc3Q="))
	require.Equal(t, http.StatusUnauthorized, end(0, "Authorization", "Bearer"))
	require.Equal(t, http.StatusOK, end(0, "Authorization", "Bearer first"))
	require.Equal(t, http.StatusOK, end(1, "Authorization", "Bearer second"))
	require.Equal(t, http.StatusOK, end(2))
	require.Equal(t, http.StatusOK, end(0, "Authorization", "Bearer first"), "and when it has just ended")
	require.Equal(t, http.StatusUnauthorized, f.post("/whip/d", plain, "Authorization", "Bearer first").status)
}

func TestBearer(t *testing.T) {
	for header, want := range map[string]string{
		"Bearer a": "a", "bearer a": "a", "BEARER   a  ": "a", "Bearer a b": "a b", "Bearer": "", "Bearer ": "", "Basic a": "", "": "", "a": "", " Bearer a": "",
		"Bearer " + strings.Repeat("a", maxToken): strings.Repeat("a", maxToken), "Bearer " + strings.Repeat("a", maxToken+1): "",
	} {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.Header.Set("Authorization", header)
		token, ok := Bearer(r)
		require.Equal(t, want != "", ok, header)
		if ok {
			require.Equal(t, want, token)
		}
	}
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	r.Header["Authorization"] = []string{"Bearer a", "Bearer b"}
	_, ok := Bearer(r)
	require.False(t, ok)
}

// Whatever the header: a token has no space around it, is in the header and is bounded.
func FuzzBearer(f *testing.F) {
	for _, s := range []string{"Bearer a", "bearer  a.b.c ", "Basic YTpi", "Bearer", "", "Bearer \t a", "Bearer\x00a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, header string) {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.Header["Authorization"] = []string{header}
		token, ok := Bearer(r)
		if !ok {
			return
		}
		require.NotEmpty(t, token)
		require.LessOrEqual(t, len(token), maxToken)
		require.Equal(t, strings.Trim(token, " "), token)
		require.True(t, strings.HasSuffix(strings.TrimRight(header, " "), token))
		require.True(t, strings.EqualFold(header[:7], "Bearer "))
	})
}
