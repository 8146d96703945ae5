//go:build unix

package signaling

import (
	"bytes"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/stun/v4"
	"github.com/stretchr/testify/require"

	"whipsaw/signaling/client"
)

// listener notes the answer of the server that a publisher got.
type listener struct{ answer string }

func (l *listener) RoundTrip(r *http.Request) (*http.Response, error) {
	transport := &http.Transport{DisableKeepAlives: true}
	res, err := transport.RoundTrip(r)
	if err != nil || r.Method != http.MethodPost {
		return res, err
	}
	body, err := io.ReadAll(res.Body)
	l.answer = string(body)
	res.Body = io.NopCloser(bytes.NewReader(body))
	return res, err
}

// forger makes packets of somebody who knows all of a session but its secrets: even the fragments of its user names.
type forger struct {
	rand *rand.Rand
	user string // USERNAME towards the server, as a publisher with the ufrag "x" would say it
}

// stun is a message with an integrity of a password that is guessed.
func (f *forger) stun(kind stun.MessageType, user string, more ...stun.Setter) []byte {
	m, err := stun.Build(append([]stun.Setter{stun.TransactionID, kind, stun.NewUsername(user)}, more...)...)
	if err != nil {
		return nil
	}
	return m.Raw
}

func (f *forger) bytes(n int) []byte {
	b := make([]byte, n)
	for i := 0; i+8 <= n; i += 8 {
		binary.LittleEndian.PutUint64(b[i:], f.rand.Uint64())
	}
	return b
}

// packets is one of each kind.
func (f *forger) packets() map[string][]byte {
	guess := stun.NewShortTermIntegrity("guessedguessedguessed")
	lying := f.stun(stun.BindingRequest, f.user, guess)
	binary.BigEndian.PutUint16(lying[2:], 0xfffc)
	source := rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 96, SequenceNumber: uint16(f.rand.Uint32()), SSRC: f.rand.Uint32()}, Payload: f.bytes(1000)}
	media, _ := source.Marshal()
	return map[string][]byte{
		"integrity of another password": f.stun(stun.BindingRequest, f.user, stun.RawAttribute{Type: stun.AttrUseCandidate}, guess, stun.Fingerprint),
		"no integrity":                  f.stun(stun.BindingRequest, f.user, stun.RawAttribute{Type: stun.AttrUseCandidate}),
		"user name of nobody":           f.stun(stun.BindingRequest, "nobody:nothing", guess, stun.Fingerprint),
		"user name without a colon":     f.stun(stun.BindingRequest, strings.Split(f.user, ":")[0], guess),
		"success that nobody asked for": f.stun(stun.BindingSuccess, f.user, &stun.XORMappedAddress{IP: net.IPv4(192, 0, 2, 1), Port: 9}, guess),
		"role conflict":                 f.stun(stun.BindingError, f.user, stun.CodeRoleConflict, guess),
		"huge STUN":                     f.stun(stun.BindingRequest, f.user, stun.RawAttribute{Type: 0x7777, Value: f.bytes(1360)}, guess),
		"STUN that lies of its length":  lying,
		"RTP that is not encrypted":     media,
		"SRTCP goodbye":                 append([]byte{0x81, 203, 0, 1}, f.bytes(40)...),
		"DTLS hello":                    append([]byte{22, 254, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 100, 1, 0, 0, 88, 0, 0, 0, 0, 0, 0, 0, 88, 254, 253}, f.bytes(80)...),
		"DTLS close_notify":             {21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 1, 0},
		"DTLS data of an epoch":         append([]byte{23, 254, 253, 0, 1, 0, 0, 0, 0, 0, 9, 0, 40}, f.bytes(40)...),
		"TURN channel":                  append([]byte{0x40, 0, 0, 4}, f.bytes(4)...),
		"nothing":                       {},
		"anything":                      f.bytes(1 + f.rand.IntN(1472)),
	}
}

// Strangers send a hundred thousand packets to the media port while a stream is live: random ones, and forgeries of all
// protocols that are spoken there by somebody who knows the ICE user names. The stream loses nothing, nobody's session
// ends, no answer goes to a stranger but errors, and what the server needs afterwards is what it needed before.
func TestPacketsOfStrangers(t *testing.T) {
	heard := &listener{}
	f := serve(t, Config{})
	s := f.publish("live", func(o *client.Options) { o.HTTPClient = &http.Client{Transport: heard} })
	f.sending(s)
	f.eventually("media", func() bool { st := f.status("live"); return st.Video != nil && st.Video.Packets > 20 })
	get := strings.TrimSpace(strings.SplitAfter(strings.SplitN(heard.answer, "a=ice-ufrag:", 2)[1], "\n")[0])
	goroutines := 0
	f.eventually("counted as below", func() bool { goroutines = runtime.NumGoroutine(); return true })
	calm := f.cpuOf(20)

	forging := &forger{rand: rand.New(rand.NewPCG(1, 2)), user: get + ":x"}
	var strangers []net.Conn
	for range 8 {
		c, err := net.Dial("udp", f.server.MediaAddresses()[0].String())
		require.NoError(t, err)
		defer c.Close()
		strangers = append(strangers, c)
	}
	const round = 100
	all := 100_000
	if testing.Short() {
		all = 10_000
	}
	for sent := 0; sent < all; {
		forged := forging.packets()
		for range round / len(forged) {
			for _, p := range forged {
				_, err := strangers[sent%len(strangers)].Write(p)
				require.NoError(t, err)
				sent++
			}
		}
		for range round {
			_, err := strangers[sent%len(strangers)].Write(forging.bytes(1 + forging.rand.IntN(1472)))
			require.NoError(t, err)
			sent++
		}
	}
	f.cpuOf(5) // what still lay in the socket
	require.Less(t, f.cpuOf(20), 3*calm+100*time.Millisecond, "all is as calm as before")
	st := f.status("live")
	require.Zero(t, st.Video.Lost)
	require.Zero(t, st.Audio.Lost)
	require.Zero(t, st.Video.Garbage)
	require.Nil(t, st.LastEnd)
	require.Equal(t, 1, f.server.Sessions())
	f.eventually("no goroutine stays", func() bool { return runtime.NumGoroutine() <= goroutines })
	for _, c := range strangers {
		onlyErrors(t, c)
	}
}

// cpuOf is the time that processors spend on all of this process while n packets of video come.
func (f *fixture) cpuOf(n int64) time.Duration {
	f.t.Helper()
	used := func() time.Duration {
		var u syscall.Rusage
		require.NoError(f.t, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	begun, before := used(), f.status("live").Video.Packets
	f.eventually("media goes on", func() bool { return f.status("live").Video.Packets >= before+n })
	return used() - begun
}

// onlyErrors reads what a stranger was answered: errors of STUN at most, of few bytes.
func onlyErrors(t *testing.T, c net.Conn) {
	t.Helper()
	b := make([]byte, 1500)
	for {
		require.NoError(t, c.SetReadDeadline(time.Now().Add(20*time.Millisecond)))
		n, err := c.Read(b)
		if err != nil {
			return
		}
		m := stun.Message{Raw: b[:n]}
		require.NoError(t, m.Decode())
		require.Equal(t, stun.ClassErrorResponse, m.Type.Class)
		require.Less(t, n, 200)
	}
}
