package signaling

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"reflect"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/webrtc/v4"
	"github.com/stretchr/testify/require"

	"whipsaw/segmenter"
	"whipsaw/signaling/client"
)

// footprint is what sessions must give back.
type footprint struct {
	goroutines int            // of this package and of the library
	heap       uint64         // bytes; the log of the test, and what each stream keeps of its last publisher, are in it
	mux        int            // entries in the multiplexers' tables
	stacks     map[string]int // who began the goroutines
}

func (f *fixture) footprint() footprint {
	runtime.GC()
	runtime.GC() // a second time for what finalizers and pools held
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	var b bytes.Buffer
	require.NoError(f.t, pprof.Lookup("goroutine").WriteTo(&b, 2))
	n, stacks := 0, map[string]int{}
	for stack := range strings.SplitSeq(b.String(), "\n\n") {
		if strings.Contains(stack, "github.com/pion/") || strings.Contains(stack, "whipsaw/signaling.") {
			n++
			_, by, _ := strings.Cut(stack, "\ncreated by ")
			by, _, _ = strings.Cut(by, " in goroutine")
			stacks[by]++
		}
	}
	return footprint{goroutines: n, heap: m.HeapAlloc, mux: f.muxEntries(), stacks: stacks}
}

// muxEntries counts what the multiplexers know of sessions; they do not tell it themselves.
func (f *fixture) muxEntries() int {
	n := 0
	count := func(mux any, fields ...string) {
		v := reflect.ValueOf(mux).Elem()
		for _, name := range fields {
			n += v.FieldByName(name).Len()
		}
	}
	s := f.server.factory.sockets
	count(s.mux.(*ice.UDPMuxDefault), "connsIPv4", "connsIPv6", "addressMap")
	count(s.tcp, "connsIPv4", "connsIPv6")
	return n
}

// The ways a session can go, each of which leaves something else to clean up. The stream's name is the session's own.
func (f *fixture) ways() []func(stream string) {
	neverConnected := func(stream string) { f.post("/whip/"+stream, recorded(f.t, "obs.sdp")) }
	deleted := func(stream string) {
		f.do("DELETE", f.post("/whip/"+stream, recorded(f.t, "chromium.sdp")).header.Get("Location"), "")
	}
	return []func(string){
		f.connectAndLeave, neverConnected, neverConnected, neverConnected, deleted, deleted, deleted,
		f.halfAPost, f.halfAnICE, f.restarted,
	}
}

// connectAndLeave connects for real, over UDP or TCP, sends a little and goes: by DELETE, or by being thrown out.
func (f *fixture) connectAndLeave(stream string) {
	n := int(stream[len(stream)-2]) // differs from one of them to the next
	var change []func(*client.Options)
	if n%3 == 0 {
		change = append(change, overTCP)
	}
	s, err := f.tryPublish(stream, change...)
	if err != nil {
		f.t.Error(err)
		return
	}
	for i := range 5 { // nothing that a stream could begin with: what it would keep is not a session's
		_ = s.WriteVideo([][]byte{slice}, time.Duration(i)*20*time.Millisecond)
	}
	if n%2 == 0 {
		f.throwOut(stream)
		<-s.Done()
	}
	_ = s.Close(context.Background())
}

func (f *fixture) throwOut(stream string) {
	f.server.mu.Lock()
	defer f.server.mu.Unlock()
	for _, n := range f.server.sessions {
		if n.stream == stream {
			n.pub.Close(segmenter.ReasonKicked)
		}
	}
}

// halfAPost breaks off in the middle of the body.
func (f *fixture) halfAPost(stream string) {
	c, err := net.Dial("tcp", strings.TrimPrefix(f.http.URL, "http://"))
	if err != nil {
		f.t.Error(err)
		return
	}
	_, _ = fmt.Fprintf(c, "POST /whip/%s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/sdp\r\nContent-Length: 1000\r\n\r\nv=0\r\n", stream)
	_ = c.Close()
}

// halfAnICE takes the answer, begins its checks and is gone.
func (f *fixture) halfAnICE(stream string) {
	e := webrtc.SettingEngine{}
	e.SetIncludeLoopbackCandidate(true)
	pc, err := webrtc.NewAPI(webrtc.WithSettingEngine(e)).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		f.t.Error(err)
		return
	}
	defer func() { _ = pc.GracefulClose() }()
	r := f.post("/whip/"+stream, plain)
	offer := strings.NewReplacer("a=recvonly", "a=sendonly", "a=setup:passive", "a=setup:actpass").Replace(r.body)
	_ = pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer})
}

// restarted changes its candidates and its ICE generation again and again, and is never heard of again.
func (f *fixture) restarted(stream string) {
	loc := f.post("/whip/"+stream, plain).header.Get("Location")
	for i := range 3 {
		frag := fmt.Sprintf("a=ice-ufrag:ufrag%d\r\na=ice-pwd:abcdefghijklmnopqrstuv%d\r\nm=audio 9 RTP/AVP 0\r\na=mid:a\r\n"+
			"a=candidate:1 1 udp 1 127.0.0.1 9 typ host\r\n", i, i)
		if r := f.patch(loc, "*", frag); r.status != http.StatusOK {
			f.t.Error(r.status, r.body)
		}
	}
}

// runAll lets a session go each of the ways for each name, many at a time, and waits until all are over.
func (f *fixture) runAll(ways []func(string), names []string) {
	f.t.Helper()
	next := make(chan int)
	var workers sync.WaitGroup
	for range 32 {
		workers.Go(func() {
			for i := range next {
				ways[i%len(ways)](names[i])
			}
		})
	}
	for i := range names {
		next <- i
	}
	close(next)
	workers.Wait()
	f.eventually("all are over", func() bool { return f.server.Sessions() == 0 })
}

// After a thousand sessions that connected, never connected or were broken off half-way, everything is as it was.
func TestThousandSessions(t *testing.T) {
	sessions := 1000
	if testing.Short() {
		sessions = 200
	}
	streams := segmenter.DefaultConfig()
	streams.MaxStreams = 2 * sessions
	f := serveWith(t, Config{
		TCPAddress: "127.0.0.1:0", ConnectTimeout: 2 * time.Second, TombstoneTime: time.Nanosecond, MaxSessions: 2 * sessions, RateBurst: 2 * sessions,
	}, streams)
	ways := f.ways()
	names := make([]string, len(ways)+sessions)
	for i := range names { // the streams stay for a minute: they are there before, and do not count
		names[i] = fmt.Sprintf("s%04d", i)
		pub, err := f.reg.Publish(names[i], segmenter.PublisherConfig{Tracks: []segmenter.TrackConfig{{Kind: segmenter.Video}, {Kind: segmenter.Audio}}})
		require.NoError(t, err)
		pub.Close(segmenter.ReasonDeleted)
		<-pub.Done()
	}
	f.runAll(ways, names[:len(ways)]) // for what is made once for all
	before := f.footprint()
	f.runAll(ways, names[len(ways):])
	var after footprint
	given := func() bool {
		f.server.find("", "") // tombstones go when somebody looks
		after = f.footprint()
		return after.goroutines <= before.goroutines && after.mux <= before.mux && after.heap < before.heap+8<<20
	}
	for range 100 { // by this goroutine alone, which is counted
		if given() {
			break
		}
		<-time.After(100 * time.Millisecond)
	}
	require.True(t, given(), "before %+v, after %+v", before, after)
	counts := f.server.Counts().Ended
	require.GreaterOrEqual(t, counts[segmenter.ReasonNotConnected], int64(3*sessions/10))
	require.GreaterOrEqual(t, counts[segmenter.ReasonDeleted], int64(3*sessions/10))
	require.NotZero(t, counts[segmenter.ReasonKicked])
}
