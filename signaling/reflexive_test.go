package signaling

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/stun/v4"
	"github.com/stretchr/testify/require"
)

// stunServer answers Binding requests with an address of its choice.
type stunServer struct {
	conn   net.PacketConn
	mapped atomic.Pointer[netip.AddrPort] // nil: no answer
	asked  atomic.Int32
	done   chan struct{}
	change func(*stun.Message) // what the next answers have wrong; may be nil
}

func newStunServer(t *testing.T, mapped string, change func(*stun.Message)) *stunServer {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &stunServer{conn: c, done: make(chan struct{}), change: change}
	s.say(mapped)
	go s.run()
	t.Cleanup(func() {
		_ = c.Close()
		<-s.done
	})
	return s
}

func (s *stunServer) say(mapped string) {
	if mapped != "" {
		a := netip.MustParseAddrPort(mapped)
		s.mapped.Store(&a)
	}
}

func (s *stunServer) url() string { return "stun:" + s.conn.LocalAddr().String() }

func (s *stunServer) run() {
	defer close(s.done)
	buf := make([]byte, 1500)
	for {
		n, from, err := s.conn.ReadFrom(buf)
		if err != nil {
			return
		}
		m := stun.Message{Raw: append([]byte(nil), buf[:n]...)}
		if m.Decode() != nil {
			continue
		}
		s.asked.Add(1)
		mapped := s.mapped.Load()
		if mapped == nil {
			continue
		}
		out, err := stun.Build(stun.NewTransactionIDSetter(m.TransactionID), stun.BindingSuccess,
			&stun.XORMappedAddress{IP: mapped.Addr().AsSlice(), Port: int(mapped.Port())})
		if err != nil {
			return
		}
		if s.change != nil {
			s.change(out)
		}
		_, _ = s.conn.WriteTo(out.Raw, from)
	}
}

// What a STUN server says about the media port stands first in the answer, as a host candidate, and media goes the usual
// way: the port is the one that sessions use.
func TestSTUNAddressInAnswer(t *testing.T) {
	t.Parallel()
	server := newStunServer(t, "203.0.113.7:40001", nil)
	f := serve(t, Config{STUN: server.url()})
	r := f.post("/whip/live", recorded(t, "ffmpeg9.sdp"))
	require.Equal(t, http.StatusCreated, r.status)
	lines := strings.Split(strings.TrimSpace(with(r.body, "a=candidate")), "\r\n")
	require.Len(t, lines, 2)
	require.Contains(t, lines[0], " 203.0.113.7 40001 typ host")
	require.Contains(t, f.logs.String(), "203.0.113.7:40001")
	require.EqualValues(t, 1, server.asked.Load(), "not once for each session")
	f.sending(f.publish("other"))
	f.eventually("media arrives", func() bool { st := f.status("other"); return st.Video != nil && st.Video.Packets > 10 })
	require.EqualValues(t, 1, server.asked.Load())
}

// A STUN server that does not answer costs the first publishers GatherTimeout, not their session.
func TestSTUNServerSilent(t *testing.T) {
	t.Parallel()
	server := newStunServer(t, "", nil)
	f := serve(t, Config{STUN: server.url(), GatherTimeout: 50 * time.Millisecond})
	r := f.post("/whip/live", plain)
	require.Equal(t, http.StatusCreated, r.status)
	require.Equal(t, 1, strings.Count(r.body, "a=candidate"))
	f.eventually("it is asked again", func() bool { return server.asked.Load() > 1 })
}

// Answers that are no answers: to another question, from somewhere else, an error, an address that nobody has.
func TestSTUNBadAnswers(t *testing.T) {
	for name, change := range map[string]func(*stun.Message){
		"another transaction": func(m *stun.Message) { m.TransactionID[0]++; m.Encode() },
		"an error":            func(m *stun.Message) { m.SetType(stun.BindingError) },
		"no address": func(m *stun.Message) {
			*m = *stun.MustBuild(stun.NewTransactionIDSetter(m.TransactionID), stun.BindingSuccess)
		},
		"torn": func(m *stun.Message) { m.Raw = m.Raw[:len(m.Raw)-3] },
	} {
		t.Run(name, func(t *testing.T) {
			server := newStunServer(t, "203.0.113.7:40001", change)
			f := serve(t, Config{STUN: server.url(), GatherTimeout: 100 * time.Millisecond})
			r := f.post("/whip/live", plain)
			require.Equal(t, http.StatusCreated, r.status)
			require.NotContains(t, r.body, "203.0.113.7")
		})
	}
	for _, nobody := range []string{"0.0.0.0:1", "224.0.0.1:1", "169.254.1.1:1"} {
		f := serve(t, Config{STUN: newStunServer(t, nobody, nil).url(), GatherTimeout: 100 * time.Millisecond})
		require.Equal(t, 1, strings.Count(f.post("/whip/live", plain).body, "a=candidate"), nobody)
	}

	// somebody who is not the server knows the question, and answers
	s, id := &mediaSocket{pending: map[[stun.TransactionIDSize]byte]question{}}, [stun.TransactionIDSize]byte{7}
	q := question{to: netip.MustParseAddrPort("192.0.2.1:3478"), answer: make(chan netip.AddrPort, 1)}
	s.expect(id, &q)
	answer := stun.MustBuild(stun.NewTransactionIDSetter(id), stun.BindingSuccess, &stun.XORMappedAddress{IP: net.IPv4(203, 0, 113, 7), Port: 9})
	require.False(t, s.take(answer.Raw, netip.MustParseAddrPort("192.0.2.2:3478")))
	require.True(t, s.take(answer.Raw, netip.MustParseAddrPort("[::ffff:192.0.2.1]:3478")))
	require.Equal(t, netip.MustParseAddrPort("203.0.113.7:9"), <-q.answer)
	require.True(t, s.take(answer.Raw, q.to), "twice is once")
	s.expect(id, nil)
	<-q.answer
	require.False(t, s.take(answer.Raw, q.to), "nobody waits any more")
	require.False(t, s.asking.Load())
}

// What was known stays when the server is gone, and is replaced by what it says when the address changes.
func TestSTUNAddressChanges(t *testing.T) {
	r := &reflexive{log: testFactory(t, Config{UDPAddress: "127.0.0.1:0"}).log.log, first: make(chan struct{})}
	close(r.first)
	a, b := netip.MustParseAddrPort("203.0.113.7:1"), netip.MustParseAddrPort("203.0.113.8:2")
	r.learned([]netip.AddrPort{a})
	r.learned(nil)
	require.Equal(t, []netip.AddrPort{a}, r.addresses(0))
	r.learned([]netip.AddrPort{b})
	require.Equal(t, []netip.AddrPort{b}, r.addresses(0))
	require.Nil(t, (*reflexive)(nil).addresses(0))
}

// The wait for the first answer is bounded.
func TestSTUNWaitIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &reflexive{first: make(chan struct{})}
		start := time.Now()
		require.Empty(t, r.addresses(2*time.Second))
		require.Equal(t, 2*time.Second, time.Since(start))
	})
}

func TestSTUNAddress(t *testing.T) {
	for url, want := range map[string]string{
		"stun:stun.example.org": "stun.example.org 3478", "stun:192.0.2.1:5000": "192.0.2.1 5000", "stun:[2001:db8::1]": "2001:db8::1 3478",
		"stuns:h": "", "turn:h": "", "h:3478": "", "stun:": "", "stun:h:x": "",
	} {
		host, port, err := stunAddress(url)
		if want == "" {
			require.ErrorIs(t, err, errICEServer, url)
			continue
		}
		require.NoError(t, err, url)
		require.Equal(t, want, fmt.Sprint(host, " ", port))
	}
}
