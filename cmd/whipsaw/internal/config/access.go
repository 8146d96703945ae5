package config

import (
	"fmt"
	"time"

	"whipsaw/cmd/whipsaw/internal/access"
)

// Access is who may publish, and who may watch.
type Access struct {
	PublishToken Secret         // gives the right to publish every stream; empty: there is none
	StreamTokens []access.Token // give the right to publish some
	WatchTokens  []access.Token // give links to watch
	JWTSecret    Secret         // verifies HS256; empty: none is good
	JWTKeys      string         // URL or file of a JSON Web Key Set; empty: there is none
	JWTIssuer    string         // empty: any
	JWTAudience  string         // empty: any
	AuthURL      Secret         // is asked about tokens; it may hold a password; empty: nobody is asked
	OpenPublish  bool           // without a token, everybody who reaches the server may publish

	WatchKeys []Secret      // sign links to watch, the first of them new ones; empty: everybody may watch
	WatchFor  time.Duration // how long a link is good that the API gives
}

func accessSettings(c *Access) []Setting {
	return []Setting{
		{Name: "publish-token", Secret: true, Reload: true, Value: "TOKEN", set: hashable(&c.PublishToken),
			Help: "Bearer token that publishers must send, or sha256: and its SHA-256 in hexadecimal; better in the variable, where other users do not see it"},
		{Name: "stream-token", Secret: true, Reload: true, Value: "PATTERN=TOKEN", Repeat: true, set: tokens(&c.StreamTokens, access.Publish),
			Help: "token for publishers of streams that fit a pattern, like studio-*=TOKEN; may be repeated"},
		{Name: "watch-token", Secret: true, Reload: true, Value: "PATTERN=TOKEN", Repeat: true, set: tokens(&c.WatchTokens, access.Watch),
			Help: "token that gives links to watch the streams that fit a pattern, with --watch-key; may be repeated"},
		{Name: "jwt-secret", Secret: true, Reload: true, Value: "SECRET", set: jwtSecret(&c.JWTSecret),
			Help: "secret of JSON Web Tokens with HS256, at least 32 characters; their claim whipsaw names streams"},
		{Name: "jwt-jwks", Reload: true, Value: "URL|FILE", set: jwks(&c.JWTKeys),
			Help: "JSON Web Key Set for JSON Web Tokens with RS256, ES256 and EdDSA"},
		{Name: "jwt-issuer", Reload: true, Value: "ISSUER", set: text(&c.JWTIssuer),
			Help: "what iss of a JSON Web Token has to be; without it anything"},
		{Name: "jwt-audience", Reload: true, Value: "AUDIENCE", set: text(&c.JWTAudience),
			Help: "what aud of a JSON Web Token has to name; without it anything"},
		{Name: "auth-url", Secret: true, Reload: true, Value: "URL", set: authURL(&c.AuthURL),
			Help: "asked by POST of JSON about tokens that are not known here; 2xx lets in"},
		{Name: "open-publish", Default: "false", set: toggle(&c.OpenPublish),
			Help: "let everybody publish who reaches the server, without a token"},
		{Name: "watch-key", Secret: true, Reload: true, Value: "KEY", Repeat: true, set: keys(&c.WatchKeys),
			Help: "key that links to watch are signed with, at least 32 characters; may be repeated: the first signs, all verify; without it all may watch"},
		{Name: "watch-for", Reload: true, Value: "DURATION", Default: "4h", set: duration(&c.WatchFor),
			Help: "how long a link to watch is good that the API gives"},
	}
}

// Authenticated reports whether publishers have to show a token.
func (c Access) Authenticated() bool {
	return c.PublishToken != "" || len(c.StreamTokens) > 0 || c.jwt() || c.AuthURL != ""
}

func (c Access) jwt() bool { return c.JWTSecret != "" || c.JWTKeys != "" }

// Gate is what a Gate has to go by.
func (c Access) Gate() (access.Config, error) {
	out := access.Config{
		JWT: access.JWT{Secret: c.JWTSecret.Reveal(), Keys: c.JWTKeys, Issuer: c.JWTIssuer, Audience: c.JWTAudience},
		URL: c.AuthURL.Reveal(), WatchKeys: Reveal(c.WatchKeys), WatchFor: c.WatchFor,
	}
	out.Tokens = append(out.Tokens, c.StreamTokens...)
	out.Tokens = append(out.Tokens, c.WatchTokens...)
	if c.PublishToken == "" {
		return out, nil
	}
	all, err := access.NewToken(access.Publish, "*", c.PublishToken.Reveal())
	out.Tokens = append(out.Tokens, all)
	return out, err
}

// check finds what does not go together.
func (c Access) check() []error {
	return broken(
		rule{c.OpenPublish && c.Authenticated(),
			"--open-publish and --publish-token, --stream-token, --jwt-secret, --jwt-jwks and --auth-url exclude each other: these ask for a token, that for none"},
		rule{len(c.WatchTokens) > 0 && len(c.WatchKeys) == 0, "--watch-token gives signed links, which need --watch-key; without it everybody may watch"},
		rule{!c.jwt() && (c.JWTIssuer != "" || c.JWTAudience != ""), "--jwt-issuer and --jwt-audience need --jwt-secret or --jwt-jwks"},
		rule{c.WatchFor < time.Second, fmt.Sprintf("--watch-for %s: a link is good for a second at least", c.WatchFor)},
	)
}
