package bench

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"runtime"
	"runtime/metrics"
	"runtime/pprof"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whipsaw/cmd/whipsaw/internal/bench/wire"
	"whipsaw/segmenter/playlist"
)

// BenchmarkWaiter tells what one request costs in memory while it waits for a segment that is to come: its connection over
// HTTP/1.1 on loopback, which has been answered once, its goroutines' stacks and all that they hold, after a collection. The
// client's ends are not in it.
func BenchmarkWaiter(b *testing.B) {
	const waiters = 1000
	u, factory := onAir(b)
	client := factory.New()
	defer client.Close()
	list := "/hls/b/" + variant(b, client)

	ends := clientEnds(b, waiters)
	var stacks, heap uint64
	for b.Loop() {
		before := held()
		const request = "GET %s HTTP/1.1\r\nHost: %s\r\nAccept-Encoding: gzip\r\nUser-Agent: benchmark\r\n\r\n"
		conns := dial(b, u.Host, waiters, fmt.Sprintf(request, list, u.Host))
		answered(b, conns)
		newest := newestMSN(b, client, list)
		say(b, conns, fmt.Sprintf(request, fmt.Sprintf("%s?_HLS_msn=%d", list, newest+2), u.Host))
		for waiting(b) < waiters {
			<-time.After(5 * time.Millisecond)
		}
		after := held()
		stacks += after[0] - before[0]
		heap += after[1] - before[1] - ends
		require.Equal(b, waiters, waiting(b), "they waited all the time")
		for _, c := range conns {
			require.NoError(b, c.Close())
		}
		for waiting(b) > 0 {
			<-time.After(5 * time.Millisecond)
		}
	}
	per := float64(b.N * waiters)
	b.ReportMetric(float64(stacks)/per, "B-stack/waiter")
	b.ReportMetric(float64(heap)/per, "B-heap/waiter")
	b.ReportMetric(float64(stacks+heap)/per, "B/waiter")
}

// held are the bytes of stacks, and of what lives in the heap.
func held() [2]uint64 {
	runtime.GC()
	runtime.GC()
	s := []metrics.Sample{{Name: "/memory/classes/heap/stacks:bytes"}, {Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(s)
	return [2]uint64{s[0].Value.Uint64(), s[1].Value.Uint64()}
}

// clientEnds is what so many connections cost in this process if nobody takes them.
func clientEnds(b *testing.B, n int) uint64 {
	b.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(b.Context(), "tcp", "127.0.0.1:0")
	require.NoError(b, err)
	defer l.Close()
	before := held()
	conns := dial(b, l.Addr().String(), n, "")
	after := held()
	for _, c := range conns {
		require.NoError(b, c.Close())
	}
	return after[1] - before[1]
}

// answered reads one answer from each connection.
func answered(b *testing.B, conns []net.Conn) {
	b.Helper()
	r := bufio.NewReader(nil)
	for _, c := range conns {
		r.Reset(c)
		a, err := http.ReadResponse(r, nil)
		require.NoError(b, err)
		require.Equal(b, http.StatusOK, a.StatusCode)
		_, err = io.Copy(io.Discard, a.Body)
		require.NoError(b, err)
	}
}

// dial opens connections and says the same on all of them.
func dial(b *testing.B, at string, n int, text string) []net.Conn {
	b.Helper()
	var d net.Dialer
	conns := make([]net.Conn, n)
	for i := range conns {
		var err error
		conns[i], err = d.DialContext(context.Background(), "tcp", at)
		require.NoError(b, err)
	}
	say(b, conns, text)
	return conns
}

func say(b *testing.B, conns []net.Conn, text string) {
	b.Helper()
	for _, c := range conns {
		_, err := io.WriteString(c, text)
		require.NoError(b, err)
	}
}

var stackCount = regexp.MustCompile(`^(\d+) @`)

// waiting is how many goroutines wait for a newer playlist.
func waiting(b *testing.B) int {
	b.Helper()
	var profile bytes.Buffer
	require.NoError(b, pprof.Lookup("goroutine").WriteTo(&profile, 1))
	n := 0
	for stack := range strings.SplitSeq(profile.String(), "\n\n") {
		if strings.Contains(stack, "(*Rendition).Wait") {
			for _, m := range stackCount.FindAllStringSubmatch(strings.TrimSpace(stack), 1) {
				count, err := strconv.Atoi(m[1])
				require.NoError(b, err)
				n += count
			}
		}
	}
	return n
}

func newestMSN(b *testing.B, client wire.Client, list string) int64 {
	b.Helper()
	answer, err := client.Start(b.Context(), list, []byte{}).Wait()
	require.NoError(b, err)
	text, err := unzip(answer)
	require.NoError(b, err)
	p, err := playlist.ParseMedia(text)
	require.NoError(b, err)
	return p.MediaSequence + int64(len(p.Segments)) - 1
}
