package signaling

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"hash"
	"sync"

	"github.com/pion/dtls/v3"
	"github.com/pion/dtls/v3/pkg/crypto/prf"
	dtlsextension "github.com/pion/dtls/v3/pkg/protocol/extension"
	"github.com/pion/dtls/v3/pkg/protocol/handshake"
	"github.com/pion/srtp/v3"
)

// secrets is what a DTLS handshake of ours as the server agrees on, as far as the keys of SRTP follow from it (RFC 5764
// 4.2). The library keeps those keys to itself; it tells what they are made of.
type secrets struct {
	mu      sync.Mutex
	client  []byte // random
	server  []byte // random
	master  []byte
	hash    func() hash.Hash // nil: of a cipher suite that is not known here
	profile srtp.ProtectionProfile
}

var errNoSecrets = errors.New("signaling: the handshake's secrets are not known")

// Write takes a line of the library's key log: what it is of, the client's random and the secret.
func (s *secrets) Write(line []byte) (int, error) {
	f := bytes.Fields(line)
	if len(f) != 3 || string(f[0]) != "CLIENT_RANDOM" {
		return len(line), nil
	}
	client, err1 := hex.AppendDecode(nil, f[1])
	master, err2 := hex.AppendDecode(nil, f[2])
	if err1 == nil && err2 == nil {
		s.mu.Lock()
		s.client, s.master = client, master
		s.mu.Unlock()
	}
	return len(line), nil
}

// hello looks at the server's hello that the library is about to send.
func (s *secrets) hello(m handshake.MessageServerHello) handshake.Message {
	random := m.Random.MarshalFixed()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.server, s.hash, s.profile = random[:], nil, 0
	if m.CipherSuiteID != nil {
		switch dtls.CipherSuiteID(*m.CipherSuiteID) {
		case dtls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, dtls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256:
			s.hash = sha256.New
		case dtls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, dtls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384:
			s.hash = sha512.New384
		}
	}
	for _, e := range m.Extensions {
		if u, ok := e.(*dtlsextension.UseSRTP); ok && len(u.ProtectionProfiles) == 1 {
			s.profile = srtp.ProtectionProfile(u.ProtectionProfiles[0])
		}
	}
	return &m
}

// ExportKeyingMaterial is RFC 5705 4, without context.
func (s *secrets) ExportKeyingMaterial(label string, _ []byte, length int) ([]byte, error) {
	if s.hash == nil || len(s.client) == 0 || len(s.server) == 0 || len(s.master) == 0 {
		return nil, errNoSecrets
	}
	seed := append(append([]byte(label), s.client...), s.server...)
	return prf.PHash(s.master, seed, length, s.hash)
}

// inbound returns what decrypts the client's media, and forgets the secrets.
func (s *secrets) inbound() (*srtp.Context, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := srtp.Config{Profile: s.profile}
	err := c.ExtractSessionKeysFromDTLS(s, false)
	clear(s.master)
	s.master = nil
	if err != nil {
		return nil, err
	}
	return srtp.CreateContext(c.Keys.RemoteMasterKey, c.Keys.RemoteMasterSalt, c.Profile, srtp.SRTPReplayProtection(replayWindow))
}
