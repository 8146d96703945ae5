package access

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"log/slog"
	"strings"
)

// Token is a secret that gives a right to the streams that fit a pattern. Only its digest is kept.
type Token struct {
	Pattern string
	Except  []string // patterns of streams that it gives no right to, though they fit
	Right   Right
	digest  [sha256.Size]byte
}

// hashed begins a token that is given by its digest: sha256: and 64 hexadecimal digits.
const hashed = "sha256:"

// ErrHash says that something begins like a hashed token and is none.
var ErrHash = errors.New("after sha256: a hashed token has 64 hexadecimal digits: printf %s TOKEN | sha256sum")

// ErrPattern says that something is no pattern for streams.
var ErrPattern = errors.New("a pattern is a stream's name, in which * stands for any characters")

// NewToken returns a Token of its secret, or of sha256: and the hexadecimal SHA-256 digest of that. Errors are ErrHash
// and ErrPattern.
func NewToken(right Right, pattern, secret string) (Token, error) {
	if !ValidPattern(pattern) {
		return Token{}, ErrPattern
	}
	digest, err := digestOf(secret)
	if err != nil {
		return Token{}, err
	}
	return Token{Pattern: pattern, Right: right, digest: digest}, nil
}

// digestOf is that of a token as it is kept: itself or hashed.
func digestOf(kept string) (digest [sha256.Size]byte, err error) {
	digits, ok := strings.CutPrefix(kept, hashed)
	if !ok {
		return sha256.Sum256([]byte(kept)), nil
	}
	sum, err := hex.DecodeString(digits)
	if err != nil || len(sum) != len(digest) {
		return digest, ErrHash
	}
	return [sha256.Size]byte(sum), nil
}

// Fits reports whether a token that was shown is the one that is kept, itself or as sha256: and its digest. It takes the
// same time for every token. Nothing fits the empty one.
func Fits(shown, kept string) bool {
	want, err := digestOf(kept)
	sum := sha256.Sum256([]byte(shown))
	return subtle.ConstantTimeCompare(sum[:], want[:]) == 1 && kept != "" && err == nil
}

// lookup returns what a token gives, of all entries that it fits, and whether there is any. It compares with each of
// them in the same time, whatever it found before.
func lookup(tokens []Token, token string) (who grant, known bool) {
	sum := sha256.Sum256([]byte(token))
	same := make([]int, len(tokens))
	found := 0
	for i := range tokens {
		same[i] = subtle.ConstantTimeCompare(sum[:], tokens[i].digest[:])
		found |= same[i]
	}
	if found == 0 {
		return grant{}, false
	}
	for i, t := range tokens { // whoever comes here knows a token: the time tells nothing new
		if same[i] == 1 {
			who.tokens = append(who.tokens, t)
		}
	}
	return who, true
}

// covers reports whether a stream is one of those that the token is for.
func (t Token) covers(stream string) bool {
	return Match(t.Pattern, stream) && !anyMatch(t.Except, stream)
}

// String tells where a token is good, and nothing of the token; so do GoString, LogValue and MarshalText.
func (t Token) String() string { return t.Pattern + "=[secret]" }

// GoString hides the digest from %#v.
func (t Token) GoString() string { return `"` + t.String() + `"` }

// LogValue hides the digest from slog.
func (t Token) LogValue() slog.Value { return slog.StringValue(t.String()) }

// MarshalText hides the digest from encoders.
func (t Token) MarshalText() ([]byte, error) { return []byte(t.String()), nil }
