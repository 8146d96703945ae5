package access

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
)

// Keys that must not verify are left out, wherever they stand in the set.
func TestKeysThatAreLeftOut(t *testing.T) {
	weak, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	k := newKeyring(t)
	one := func(change func(map[string]any)) string {
		var all map[string][]map[string]any
		require.NoError(t, json.Unmarshal([]byte(set(t, map[string]crypto.PublicKey{"r": k.rsa.Public()})), &all))
		change(all["keys"][0])
		out, err := json.Marshal(all)
		require.NoError(t, err)
		return string(out)
	}
	valid := strings.TrimSuffix(strings.TrimPrefix(set(t, map[string]crypto.PublicKey{"d": k.ed.Public()}), `{"keys":[`), `]}`)
	for name, doc := range map[string]string{
		"symmetric":         `{"keys":[{"kty":"oct","k":"YSBzZWNyZXQgb2YgbW9yZSB0aGFuIDMyIGNoYXJhY3RlcnM","kid":"r"}]}`,
		"another curve":     set(t, map[string]crypto.PublicKey{"r": weak.Public()}),
		"RSA of 512 bits":   one(func(m map[string]any) { m["n"] = base64.RawURLEncoding.EncodeToString(k.rsa.N.Bytes()[:64]) }),
		"RSA with e = 1":    one(func(m map[string]any) { m["e"] = "AQ" }),
		"huge RSA":          one(func(m map[string]any) { m["n"] = strings.Repeat("_", 4000) }),
		"for encryption":    one(func(m map[string]any) { m["use"] = "enc" }),
		"for signing only":  one(func(m map[string]any) { m["key_ops"] = []string{"sign"} }),
		"without a number":  one(func(m map[string]any) { delete(m, "n") }),
		"a kind of its own": `{"keys":[{"kty":"XYZ","kid":"r"}]}`,
		"empty":             `{"keys":[]}`,
		"no set":            `{}`,
		"no object":         `[]`,
		"no JSON":           `<html>`,
		"nothing":           ``,
		"for agreement":     `{"keys":[{"kty":"OKP","crv":"X25519","x":"` + base64.RawURLEncoding.EncodeToString(make([]byte, 32)) + `"}]}`,
		"too many":          `{"keys":[` + strings.Repeat(valid+`,`, maxKeys) + valid + `]}`,
		"too large":         `{"keys":[` + valid + `],"x":"` + strings.Repeat("x", maxKeysSize) + `"}`,
	} {
		_, err := New(Config{JWT: JWT{Keys: file(t, doc)}}, discard)
		require.Error(t, err, name)
		require.Equal(t, name == "too large", strings.Contains(err.Error(), "more than"), name)
	}
	named, _ := gate(t, Config{JWT: JWT{Keys: file(t, one(func(m map[string]any) { m["alg"] = "RS384" }))}})
	require.Equal(t, ErrToken, may(named, Publish, "studio-1", signed(t, jwt.SigningMethodRS256, k.rsa, "r", body(nil))), "the key says what it is for")
	mixed, _ := gate(t, Config{JWT: JWT{Keys: file(t, strings.Replace(k.set(t), `{"keys":[`, `{"keys":[{"kty":"oct","k":"AAAA"},`, 1))}})
	require.NoError(t, may(mixed, Publish, "studio-1", signed(t, jwt.SigningMethodRS256, k.rsa, "r", body(nil))))
}

// identity is a provider of keys that can be changed and turned off. It needs no network.
type identity struct {
	doc   atomic.Pointer[string] // nil: down
	hangs atomic.Bool
	asked atomic.Int32
}

func (i *identity) RoundTrip(r *http.Request) (*http.Response, error) {
	i.asked.Add(1)
	if i.hangs.Load() {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	w := httptest.NewRecorder()
	if doc := i.doc.Load(); doc != nil {
		_, _ = w.WriteString(*doc) // into memory
	} else {
		w.WriteHeader(http.StatusBadGateway)
	}
	return w.Result(), nil
}

func (i *identity) serve(doc string) { i.doc.Store(&doc) }

// remote is a gate whose client reaches only a RoundTripper.
func remote(t *testing.T, through http.RoundTripper, cfg Config) (*Gate, *logged) {
	g, log := gate(t, Config{})
	g.client.Transport = through
	require.NoError(t, g.Replace(cfg))
	return g, log
}

func TestKeysRotate(t *testing.T) {
	k := newKeyring(t)
	old, next := set(t, map[string]crypto.PublicKey{"one": k.rsa.Public()}), set(t, map[string]crypto.PublicKey{"two": k.other.Public()})
	synctest.Test(t, func(t *testing.T) {
		provider := &identity{}
		provider.serve(old)
		g, log := remote(t, provider, Config{JWT: JWT{Keys: "https://id.example/keys"}})
		defer g.Close()
		one := signed(t, jwt.SigningMethodRS256, k.rsa, "one", body(nil))
		two := signed(t, jwt.SigningMethodRS256, k.other, "two", body(nil))
		require.NoError(t, may(g, Publish, "studio-1", one), "it waits for the first fetch")
		require.Equal(t, int32(1), provider.asked.Load())

		require.Equal(t, ErrToken, may(g, Publish, "studio-1", two))
		require.Equal(t, int32(1), provider.asked.Load(), "unknown keys do not make us ask without end")

		<-time.After(keysPause) // virtual time
		provider.serve(next)
		require.NoError(t, may(g, Publish, "studio-1", two), "a new key is found by the first token that is signed with it")
		require.Equal(t, int32(2), provider.asked.Load())
		<-time.After(keysPause)
		require.Equal(t, ErrToken, may(g, Publish, "studio-1", one), "and the old one is gone")

		// Down: what is known goes on, for as long as it takes.
		provider.doc.Store(nil)
		<-time.After(24 * time.Hour)
		two = signed(t, jwt.SigningMethodRS256, k.other, "two", body(nil))
		require.NoError(t, may(g, Publish, "studio-1", two))
		synctest.Wait()
		require.Contains(t, log.String(), "could not be read")
		before := provider.asked.Load()
		<-time.After(keysPause)
		require.NoError(t, may(g, Publish, "studio-1", two))
		synctest.Wait()
		require.Equal(t, before+1, provider.asked.Load(), "asked again before long")

		// A set that is none does not replace one.
		provider.serve(`{"keys":[]}`)
		<-time.After(keysPause)
		require.NoError(t, may(g, Publish, "studio-1", two))
		synctest.Wait()
		require.NoError(t, may(g, Publish, "studio-1", two))
	})
}

// Keys exchanged under the same name, or without one, are noticed as well.
func TestKeysRotateUnderOneName(t *testing.T) {
	k := newKeyring(t)
	for _, kid := range []string{"same", ""} {
		old, next := set(t, map[string]crypto.PublicKey{"same": k.rsa.Public()}), set(t, map[string]crypto.PublicKey{"same": k.other.Public()})
		synctest.Test(t, func(t *testing.T) {
			provider := &identity{}
			provider.serve(old)
			g, _ := remote(t, provider, Config{JWT: JWT{Keys: "https://id.example/keys"}})
			defer g.Close()
			require.NoError(t, may(g, Publish, "studio-1", signed(t, jwt.SigningMethodRS256, k.rsa, kid, body(nil))))
			<-time.After(keysPause)
			provider.serve(next)
			require.NoError(t, may(g, Publish, "studio-1", signed(t, jwt.SigningMethodRS256, k.other, kid, body(nil))))
		})
	}
}

// A provider that hangs holds a request for a moment, not for its own time; without any keys nobody comes in.
func TestKeysOutOfReach(t *testing.T) {
	k := newKeyring(t)
	doc := k.set(t)
	synctest.Test(t, func(t *testing.T) {
		provider := &identity{}
		provider.hangs.Store(true)
		g, _ := remote(t, provider, Config{JWT: JWT{Secret: jwtSecret, Keys: "https://id.example/keys"}})
		defer g.Close()
		good := signed(t, jwt.SigningMethodRS256, k.rsa, "r", body(nil))
		begun := time.Now()
		require.Equal(t, ErrUnavailable, may(g, Publish, "studio-1", good))
		require.Equal(t, keysWait, time.Since(begun))
		begun = time.Now()
		require.NoError(t, may(g, Publish, "studio-1", signed(t, jwt.SigningMethodHS256, []byte(jwtSecret), "", body(nil))))
		require.Equal(t, ErrToken, may(g, Publish, "studio-1", signed(t, jwt.SigningMethodHS256, []byte("x"), "", body(nil))))
		require.Zero(t, time.Since(begun), "who needs no key does not wait for one")

		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		require.Equal(t, ErrUnavailable, g.Authorize(ctx, Request{Right: Publish, Stream: "studio-1", Token: good}), "the publisher left")
		require.Zero(t, time.Since(begun))

		provider.hangs.Store(false)
		provider.serve(doc)
		<-time.After(keysPause)
		require.NoError(t, may(g, Publish, "studio-1", good))
	})
}

// A reload of the settings keeps the keys, so that a provider that is down then does no harm.
func TestReplaceKeepsKeys(t *testing.T) {
	k := newKeyring(t)
	doc := k.set(t)
	synctest.Test(t, func(t *testing.T) {
		provider := &identity{}
		provider.serve(doc)
		cfg := Config{JWT: JWT{Keys: "https://id.example/keys"}}
		g, _ := remote(t, provider, cfg)
		defer g.Close()
		good := signed(t, jwt.SigningMethodRS256, k.rsa, "r", body(map[string]any{"aud": "us"}))
		require.NoError(t, may(g, Publish, "studio-1", good))
		provider.doc.Store(nil)
		cfg.JWT.Audience = "us"
		require.NoError(t, g.Replace(cfg))
		require.NoError(t, may(g, Publish, "studio-1", good))
		cfg.JWT.Audience = "them"
		require.NoError(t, g.Replace(cfg))
		require.Equal(t, ErrToken, may(g, Publish, "studio-1", good))
		cfg.JWT = JWT{Keys: "https://id.example/others"}
		require.NoError(t, g.Replace(cfg))
		require.Equal(t, ErrUnavailable, may(g, Publish, "studio-1", good))
	})
}
