package access

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// JWT says which JSON Web Tokens (RFC 7519) are good. The zero value: none.
type JWT struct {
	Secret   string // verifies HS256; empty: HS256 is refused
	Keys     string // URL or file of a JSON Web Key Set (RFC 7517) for RS256, ES256 and EdDSA; empty: those are refused
	Issuer   string // iss has to be this; empty: it may be anything
	Audience string // aud has to name this; empty: it may be anything
}

func (j JWT) enabled() bool { return j.Secret != "" || j.Keys != "" }

// leeway is how far the clocks of who signs and who verifies may be apart.
const leeway = 30 * time.Second

// claims is what a token says. Patterns that are none fit no stream.
type claims struct {
	jwt.RegisteredClaims
	Rights struct {
		Publish jwt.ClaimStrings `json:"publish"`
		Watch   jwt.ClaimStrings `json:"watch"`
	} `json:"whipsaw"`
}

// verifier checks tokens.
type verifier struct {
	parser *jwt.Parser
	secret []byte
	keys   *keySet // nil: none
}

// newVerifier makes ready what cfg says; known is the key set of before, or nil. Errors are about a file of keys.
func newVerifier(g *Gate, cfg JWT, known *keySet) (*verifier, error) {
	v := &verifier{secret: []byte(cfg.Secret), keys: known}
	var algorithms []string // RFC 8725 3.1: a token does not choose how it is verified
	if cfg.Secret != "" {
		algorithms = append(algorithms, jwt.SigningMethodHS256.Alg())
	}
	if cfg.Keys != "" {
		algorithms = append(algorithms, jwt.SigningMethodRS256.Alg(), jwt.SigningMethodES256.Alg(), jwt.SigningMethodEdDSA.Alg())
		if v.keys == nil {
			var err error
			if v.keys, err = newKeySet(g, cfg.Keys); err != nil {
				return nil, err
			}
		}
	}
	options := []jwt.ParserOption{
		jwt.WithValidMethods(algorithms), jwt.WithExpirationRequired(), jwt.WithLeeway(leeway), jwt.WithStrictDecoding(),
	}
	if cfg.Issuer != "" {
		options = append(options, jwt.WithIssuer(cfg.Issuer))
	}
	if cfg.Audience != "" {
		options = append(options, jwt.WithAudience(cfg.Audience))
	}
	v.parser = jwt.NewParser(options...)
	return v, nil
}

// verify returns what the bearer of a token may do. Errors are ErrToken, ErrExpired and ErrUnavailable, and nothing of
// the token is in them.
func (v *verifier) verify(ctx context.Context, token string) (grant, error) {
	c, public, err := v.parse(ctx, token)
	// A key that is not known yet, or that was exchanged under its name: the set may have a new one.
	if public && (errors.Is(err, jwt.ErrTokenUnverifiable) || errors.Is(err, jwt.ErrTokenSignatureInvalid)) && v.keys.renew(ctx) {
		c, _, err = v.parse(ctx, token)
	}
	switch {
	case err == nil:
		return grant{publish: c.Rights.Publish, watch: c.Rights.Watch}, nil
	case errors.Is(err, errNoKeys):
		return grant{}, ErrUnavailable
	case errors.Is(err, jwt.ErrTokenExpired):
		return grant{}, ErrExpired
	}
	return grant{}, ErrToken
}

// parse also tells whether a public key was needed.
func (v *verifier) parse(ctx context.Context, token string) (c *claims, public bool, err error) {
	c = &claims{}
	_, err = v.parser.ParseWithClaims(token, c, func(t *jwt.Token) (any, error) {
		if _, ok := t.Header["crit"]; ok { // RFC 7515 4.1.11: no extension is understood here
			return nil, errCritical
		}
		// RFC 8725 3.1: HS256 never meets a public key, nor do the others meet the secret.
		if t.Method == jwt.SigningMethodHS256 {
			return v.secret, nil
		}
		public = true
		keys := v.keys.current()
		if keys == nil {
			return nil, errNoKeys
		}
		return keys.KeyfuncCtx(ctx)(t)
	})
	return c, public, err
}

var (
	errCritical = errors.New("the header asks for extensions")
	errNoKeys   = errors.New("no keys could be fetched yet")
)

// usable reports whether a key may verify one of our algorithms (RFC 7518 3.3: RSA of 2048 bits at least, 3.4: ES256 is
// P-256). Symmetric keys have no place in a set that is public.
func usable(key any) error {
	switch k := key.(type) {
	case *rsa.PublicKey:
		if bits := k.N.BitLen(); bits < 2048 || bits > 8192 || k.E < 3 {
			return fmt.Errorf("an RSA key of %d bits", bits)
		}
	case *ecdsa.PublicKey:
		if name := k.Curve.Params().Name; name != "P-256" {
			return fmt.Errorf("a key of %s", name)
		}
	case ed25519.PublicKey:
	default:
		return fmt.Errorf("a %T", key)
	}
	return nil
}
