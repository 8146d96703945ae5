package access

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
)

const jwtSecret = "a secret of more than thirty-two characters"

// keyring is what a test signs with.
type keyring struct {
	rsa   *rsa.PrivateKey
	ec    *ecdsa.PrivateKey
	ed    ed25519.PrivateKey
	other *rsa.PrivateKey // not in the set
}

func newKeyring(t testing.TB) keyring {
	var k keyring
	var err error
	k.rsa, err = rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	k.other, err = rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	k.ec, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	_, k.ed, err = ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	return k
}

// set is a JSON Web Key Set of public keys by their names.
func set(t testing.TB, keys map[string]crypto.PublicKey) string {
	var out jwkset.JWKSMarshal
	for kid, key := range keys {
		jwk, err := jwkset.NewJWKFromKey(key, jwkset.JWKOptions{Metadata: jwkset.JWKMetadataOptions{KID: kid}})
		require.NoError(t, err)
		out.Keys = append(out.Keys, jwk.Marshal())
	}
	raw, err := json.Marshal(out)
	require.NoError(t, err)
	return string(raw)
}

func (k keyring) set(t testing.TB) string {
	return set(t, map[string]crypto.PublicKey{"r": k.rsa.Public(), "e": k.ec.Public(), "d": k.ed.Public()})
}

func file(t testing.TB, content string) string {
	name := filepath.Join(t.TempDir(), "keys.json")
	require.NoError(t, os.WriteFile(name, []byte(content), 0o600))
	return name
}

// body is a set of claims that is good for an hour, changed.
func body(change map[string]any) jwt.MapClaims {
	c := jwt.MapClaims{"exp": time.Now().Add(time.Hour).Unix(), "whipsaw": map[string]any{"publish": []string{"studio-*"}, "watch": []string{"yard"}}}
	for k, v := range change {
		if c[k] = v; v == nil {
			delete(c, k)
		}
	}
	return c
}

func signed(t testing.TB, method jwt.SigningMethod, key any, kid string, c jwt.MapClaims, header ...string) string {
	made := jwt.NewWithClaims(method, c)
	if kid != "" {
		made.Header["kid"] = kid
	}
	for i := 0; i < len(header); i += 2 {
		made.Header[header[i]] = header[i+1]
	}
	s, err := made.SignedString(key)
	require.NoError(t, err)
	return s
}

// raw is a token of parts that are written by hand.
func raw(header, body, signature string) string {
	b := base64.RawURLEncoding.EncodeToString
	return b([]byte(header)) + "." + b([]byte(body)) + "." + b([]byte(signature))
}

// RFC 7518 3.1: the algorithms; and what the claims give.
func TestRFC7518_3_1_Algorithms(t *testing.T) {
	k := newKeyring(t)
	g, log := gate(t, Config{JWT: JWT{Secret: jwtSecret, Keys: file(t, k.set(t))}})
	for name, good := range map[string]string{
		"HS256":             signed(t, jwt.SigningMethodHS256, []byte(jwtSecret), "", body(nil)),
		"RS256":             signed(t, jwt.SigningMethodRS256, k.rsa, "r", body(nil)),
		"RS256 without kid": signed(t, jwt.SigningMethodRS256, k.rsa, "", body(nil)),
		"ES256":             signed(t, jwt.SigningMethodES256, k.ec, "e", body(nil)),
		"EdDSA":             signed(t, jwt.SigningMethodEdDSA, k.ed, "d", body(nil)),
		"one string":        signed(t, jwt.SigningMethodEdDSA, k.ed, "d", body(map[string]any{"whipsaw": map[string]any{"publish": "studio-*", "watch": "yard"}})),
	} {
		require.NoError(t, may(g, Publish, "studio-1", good), name)
		require.NoError(t, may(g, Watch, "studio-1", good), name)
		require.NoError(t, may(g, Watch, "yard", good), name)
		require.Equal(t, ErrRight, may(g, Publish, "yard", good), name)
		require.Equal(t, ErrRight, may(g, Watch, "attic", good), name)
		require.NotContains(t, log.String(), good)
	}
	none := signed(t, jwt.SigningMethodHS256, []byte(jwtSecret), "", body(map[string]any{"whipsaw": nil}))
	require.Equal(t, ErrRight, may(g, Watch, "yard", none), "good, but without a right")
}

// RFC 8725: what tokens are attacked with.
func TestRFC8725_Attacks(t *testing.T) {
	k := newKeyring(t)
	der, err := x509.MarshalPKIXPublicKey(k.rsa.Public())
	require.NoError(t, err)
	asPEM := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	good := signed(t, jwt.SigningMethodRS256, k.rsa, "r", body(nil))
	part := strings.Split(good, ".")
	tampered := base64.RawURLEncoding.EncodeToString([]byte(`{"exp":9999999999,"whipsaw":{"publish":["*"]}}`))
	all := `{"exp":9999999999,"whipsaw":{"publish":["*"]}}`
	attacks := map[string]string{
		"alg none":                          signed(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, "", body(nil)),
		"alg None":                          raw(`{"alg":"None"}`, all, ""),
		"alg nOnE with a signature":         raw(`{"alg":"nOnE"}`, all, "x"),
		"no alg":                            raw(`{"typ":"JWT"}`, all, "x"),
		"alg of another type":               raw(`{"alg":1}`, all, "x"),
		"HS256 with the public key as PEM":  signed(t, jwt.SigningMethodHS256, asPEM, "r", body(nil)),
		"HS256 with the public key as DER":  signed(t, jwt.SigningMethodHS256, der, "r", body(nil)),
		"HS256 with the key's number":       signed(t, jwt.SigningMethodHS256, k.rsa.N.Bytes(), "r", body(nil)),
		"HS256 with an empty secret":        signed(t, jwt.SigningMethodHS256, []byte{}, "", body(nil)),
		"HS256 with another secret":         signed(t, jwt.SigningMethodHS256, []byte(jwtSecret+"x"), "", body(nil)),
		"HS384":                             signed(t, jwt.SigningMethodHS384, []byte(jwtSecret), "", body(nil)),
		"HS512":                             signed(t, jwt.SigningMethodHS512, []byte(jwtSecret), "", body(nil)),
		"RS512":                             signed(t, jwt.SigningMethodRS512, k.rsa, "r", body(nil)),
		"PS256":                             signed(t, jwt.SigningMethodPS256, k.rsa, "r", body(nil)),
		"another RSA key":                   signed(t, jwt.SigningMethodRS256, k.other, "r", body(nil)),
		"another RSA key without kid":       signed(t, jwt.SigningMethodRS256, k.other, "", body(nil)),
		"RS256 under an EC key's name":      signed(t, jwt.SigningMethodRS256, k.rsa, "e", body(nil)),
		"EdDSA under an RSA key's name":     signed(t, jwt.SigningMethodEdDSA, k.ed, "r", body(nil)),
		"unknown kid":                       signed(t, jwt.SigningMethodRS256, k.rsa, "x", body(nil)),
		"kid as a path":                     signed(t, jwt.SigningMethodRS256, k.rsa, "../../etc/passwd", body(nil)),
		"own key in the header":             signed(t, jwt.SigningMethodRS256, k.other, "", body(nil), "jku", "http://127.0.0.1:1/", "x5u", "http://127.0.0.1:1/"),
		"crit":                              signed(t, jwt.SigningMethodRS256, k.rsa, "r", body(nil), "crit", "b64"),
		"changed claims":                    part[0] + "." + tampered + "." + part[2],
		"no signature":                      part[0] + "." + part[1] + ".",
		"two parts":                         part[0] + "." + part[1],
		"four parts":                        good + ".x",
		"padded":                            good + "==",
		"trailing bits in the signature":    good[:len(good)-1] + string(good[len(good)-1]+1),
		"dots":                              "..",
		"not base64":                        "!.!.!",
		"not JSON":                          raw("x", "x", "x"),
		"claims that are a list":            raw(`{"alg":"HS256"}`, "[]", "x"),
		"no exp":                            signed(t, jwt.SigningMethodRS256, k.rsa, "r", body(map[string]any{"exp": nil})),
		"exp as text":                       signed(t, jwt.SigningMethodRS256, k.rsa, "r", body(map[string]any{"exp": "tomorrow"})),
		"not yet":                           signed(t, jwt.SigningMethodRS256, k.rsa, "r", body(map[string]any{"nbf": time.Now().Add(time.Minute).Unix()})),
		"rights of another type":            signed(t, jwt.SigningMethodRS256, k.rsa, "r", body(map[string]any{"whipsaw": "all"})),
		"rights of a type that is no name":  signed(t, jwt.SigningMethodRS256, k.rsa, "r", body(map[string]any{"whipsaw": map[string]any{"publish": true}})),
		"encrypted (JWE)":                   "a.b.c.d.e",
		"a very long one":                   strings.Repeat("a", 8<<10),
		"deeply nested claims":              raw(`{"alg":"HS256"}`, strings.Repeat("[", 4000), "x"),
		"expired beyond the leeway (below)": "x.y.z",
	}
	g, log := gate(t, Config{JWT: JWT{Secret: jwtSecret, Keys: file(t, k.set(t))}})
	require.NoError(t, may(g, Publish, "studio-1", good))
	for name, attack := range attacks {
		require.Equal(t, ErrToken, may(g, Publish, "studio-1", attack), name)
		require.NotContains(t, log.String(), attack, name)
	}
	expired := signed(t, jwt.SigningMethodRS256, k.rsa, "r", body(map[string]any{"exp": time.Now().Add(-leeway - time.Second).Unix()}))
	require.Equal(t, ErrExpired, may(g, Publish, "studio-1", expired))
	require.ErrorIs(t, ErrExpired, ErrToken)

	// What is not set up is refused: no algorithm comes in by itself.
	secretOnly, _ := gate(t, Config{JWT: JWT{Secret: jwtSecret}})
	require.Equal(t, ErrToken, may(secretOnly, Publish, "studio-1", good))
	keysOnly, _ := gate(t, Config{JWT: JWT{Keys: file(t, k.set(t))}})
	require.Equal(t, ErrToken, may(keysOnly, Publish, "studio-1", signed(t, jwt.SigningMethodHS256, []byte{}, "", body(nil))))
	neither, _ := gate(t, Config{})
	require.Equal(t, ErrToken, may(neither, Publish, "studio-1", good))
}

// RFC 7519 4.1: issuer, audience, and the times with a little leeway.
func TestRFC7519_4_1_Claims(t *testing.T) {
	g, _ := gate(t, Config{JWT: JWT{Secret: jwtSecret, Issuer: "https://id.example", Audience: "whipsaw"}})
	from := map[string]any{"iss": "https://id.example", "aud": []string{"other", "whipsaw"}}
	for _, c := range []struct {
		change map[string]any
		want   error
	}{
		{nil, nil},
		{map[string]any{"aud": "whipsaw"}, nil},
		{map[string]any{"aud": "other"}, ErrToken},
		{map[string]any{"aud": nil}, ErrToken},
		{map[string]any{"iss": "https://id.example/"}, ErrToken},
		{map[string]any{"iss": nil}, ErrToken},
		{map[string]any{"exp": time.Now().Add(-leeway / 2).Unix()}, nil},
		{map[string]any{"nbf": time.Now().Add(leeway / 2).Unix()}, nil},
		{map[string]any{"exp": 0}, ErrExpired},
	} {
		claims := body(from)
		for k, v := range c.change {
			if claims[k] = v; v == nil {
				delete(claims, k)
			}
		}
		require.Equal(t, c.want, may(g, Publish, "studio-1", signed(t, jwt.SigningMethodHS256, []byte(jwtSecret), "", claims)), "%v", c.change)
	}
}

// Whatever is shown as a token: it gives nothing.
func FuzzJWT(f *testing.F) {
	k := newKeyring(f)
	name := file(f, k.set(f))
	g, err := New(Config{JWT: JWT{Secret: jwtSecret, Keys: name}}, discard)
	require.NoError(f, err)
	f.Cleanup(g.Close)
	good := signed(f, jwt.SigningMethodHS256, []byte("not "+jwtSecret), "", body(nil))
	for _, s := range []string{good, "", "..", "a.b.c", raw(`{"alg":"none"}`, `{}`, ""), raw(`{"alg":"RS256","kid":7}`, `{"exp":1}`, "x"), raw(`{"alg":"EdDSA"}`, `{"exp":1e300}`, "x")} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, token string) {
		require.ErrorIs(t, may(g, Publish, "studio-1", token), ErrToken)
	})
}
