package signaling

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
	"github.com/pion/webrtc/v4"
	"github.com/stretchr/testify/require"
)

const expressSSRC = 7

// onExpress is one source whose keys are known, and what encrypts for it.
func onExpress(t *testing.T) (x *express, media *tap, encrypt func(sequence uint16) []byte) {
	t.Helper()
	key, salt := make([]byte, 16), make([]byte, 12)
	context := func() *srtp.Context {
		c, err := srtp.CreateContext(key, salt, srtp.ProtectionProfileAeadAes128Gcm, srtp.SRTPReplayProtection(replayWindow))
		require.NoError(t, err)
		return c
	}
	media = newTap(func([]byte) {})
	x = &express{context: context(), source: func(ssrc uint32) *tap {
		if ssrc == expressSSRC {
			return media
		}
		return nil
	}}
	sender := context()
	return x, media, func(sequence uint16) []byte {
		plain, err := (&rtp.Packet{
			Header:  rtp.Header{Version: 2, PayloadType: 96, SequenceNumber: sequence, SSRC: expressSSRC},
			Payload: fmt.Append(nil, "payload ", sequence),
		}).Marshal()
		require.NoError(t, err)
		out, err := sender.EncryptRTP(nil, plain, nil)
		require.NoError(t, err)
		return out
	}
}

// Packets come decrypted and in order, also where the sequence numbers begin anew, and stay as they are for the library.
// One a second goes there, and what it makes of that one is left out.
func TestExpress(t *testing.T) {
	x, media, encrypt := onExpress(t)
	var got []uint16
	media.open(func(packet []byte) {
		sequence := binary.BigEndian.Uint16(packet[2:])
		require.Equal(t, fmt.Sprint("payload ", sequence), string(packet[rtpHeader:]))
		got = append(got, sequence)
	})
	now, shown := time.Unix(1000, 0), 0
	var want []uint16
	for sequence := uint16(65500); sequence != 100; sequence++ {
		packet := encrypt(sequence)
		before := slices.Clone(packet)
		if !x.take(packet, now) {
			shown++
			put(t, media, string(mustPlain(sequence)))
		}
		require.Equal(t, before, packet)
		want = append(want, sequence)
		now = now.Add(20 * time.Millisecond)
	}
	require.Equal(t, want, got)
	require.Equal(t, 3, shown, "of 2.7 s")
	put(t, media, string(mustPlain(100)))
	require.Equal(t, append(want, 100), got, "what only the library has goes on")
}

func mustPlain(sequence uint16) []byte {
	b := make([]byte, rtpHeader, 40)
	b[0], b[1] = 2<<6, 96
	binary.BigEndian.PutUint16(b[2:], sequence)
	binary.BigEndian.PutUint32(b[8:], expressSSRC)
	return fmt.Append(b, "payload ", sequence)
}

// What is forged, of a source that is not known, or came before the handshake was over, is the library's to judge.
func TestExpressLeavesOut(t *testing.T) {
	x, media, encrypt := onExpress(t)
	delivered := 0
	media.open(func([]byte) { delivered++ })
	good, now := encrypt(1), time.Unix(1000, 0)
	forged := slices.Clone(good)
	forged[len(forged)-1] ^= 1
	foreign := slices.Clone(good)
	foreign[11]++
	for name, packet := range map[string][]byte{"forged": forged, "foreign": foreign, "long": make([]byte, 2*receiveMTU), "short": good[:rtpHeader]} {
		before := slices.Clone(packet)
		require.False(t, x.take(packet, now), name)
		require.Equal(t, before, packet, name)
	}
	require.Zero(t, delivered)
	known := x.context
	x.context = nil
	require.False(t, x.take(good, now), "before the handshake is over")
	x.context = known
	require.False(t, x.take(good, now), "the first is shown")
	require.True(t, x.take(encrypt(2), now))
	require.Equal(t, 2, delivered)
	require.Error(t, new(express).begin(new(secrets)), "without a handshake")
}

func TestIsMedia(t *testing.T) {
	for first, want := range map[byte]bool{0: false, 22: false, 127: false, 128: true, 191: true, 192: false} {
		packet := make([]byte, 40)
		packet[0], packet[1] = first, 96
		require.Equal(t, want, isMedia(packet), first)
		packet[1] = 200 // a sender report
		require.False(t, isMedia(packet))
		require.False(t, isMedia(packet[:rtpHeader-1]))
	}
}

// The keys are those of the handshake, whatever was agreed on; of what is not known here the library's are used.
func TestExpressKeys(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		suite   dtls.CipherSuiteID
		profile dtls.SRTPProtectionProfile
		express bool
	}{
		"usual":         {dtls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, dtls.SRTP_AEAD_AES_128_GCM, true},
		"SHA-384":       {dtls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, dtls.SRTP_AEAD_AES_256_GCM, true},
		"counter mode":  {dtls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, dtls.SRTP_AES128_CM_HMAC_SHA1_80, true},
		"another suite": {dtls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA, dtls.SRTP_AEAD_AES_128_GCM, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := serve(t, Config{})
			p := newRaw(f, func(e *webrtc.SettingEngine) {
				e.SetDTLSCipherSuites(c.suite)
				e.SetSRTPProtectionProfiles(c.profile)
			})
			p.post(p.offer(nil))
			p.wait()
			p.sending()
			f.eventually("pictures arrive", func() bool { st := f.status("live"); return st.Video != nil && st.Video.Packets > 60 })
			require.Equal(t, c.express, f.onExpress(), "way of the media")
			require.Zero(t, f.status("live").Video.Lost)
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			require.NoError(t, f.server.Close(ctx))
			f.server.factory.routes.byUfrag.Range(func(ufrag, _ any) bool {
				t.Errorf("%v is known after the end", ufrag)
				return true
			})
		})
	}
}

// onExpress reports whether media of the one session was taken before the library.
func (f *fixture) onExpress() bool {
	f.server.mu.Lock()
	defer f.server.mu.Unlock()
	require.Len(f.t, f.server.sessions, 1)
	for _, s := range f.server.sessions {
		s.peer.mu.Lock()
		defer s.peer.mu.Unlock()
		for _, m := range s.peer.taps {
			m.mu.Lock()
			shown := !m.shown.IsZero()
			m.mu.Unlock()
			if shown {
				return true
			}
		}
	}
	return false
}

// Nothing follows from half of what a handshake agrees on, or from lines of another log.
func TestSecretsAreComplete(t *testing.T) {
	s := &secrets{profile: srtp.ProtectionProfileAeadAes128Gcm}
	for _, line := range []string{"", "CLIENT_RANDOM 00", "CLIENT_RANDOM 0x 0y", "SERVER_TRAFFIC_SECRET_0 00 00", "CLIENT_RANDOM 00 11\n"} {
		n, err := s.Write([]byte(line))
		require.NoError(t, err)
		require.Equal(t, len(line), n)
	}
	require.Equal(t, []byte{0x11}, s.master)
	_, err := s.inbound()
	require.ErrorIs(t, err, errNoSecrets)
	require.Empty(t, s.master, "forgotten")
}
