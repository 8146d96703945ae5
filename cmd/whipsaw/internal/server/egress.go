package server

import (
	"context"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"whipsaw/cmd/whipsaw/internal/metrics"
)

// The egress is the mean over this time: all viewers fetch a part at the same moment, and then wait for the next one.
const (
	egressStep  = 250 * time.Millisecond
	egressSteps = 8
)

// egress measures what leaves over the connections of publishers and viewers, TLS included, and sends new viewers away
// while that is more than it may be.
type egress struct {
	limit  int64        // bytes a second; 0: no bound
	sent   atomic.Int64 // bytes, since the start
	rate   atomic.Int64 // bytes a second, lately
	denied atomic.Int64 // viewers, since the start
}

// collectors are the metrics of e.
func (e *egress) collectors() []metrics.Collector {
	value := func(n *atomic.Int64) func() float64 { return func() float64 { return float64(n.Load()) } }
	return []metrics.Collector{
		metrics.Func(metrics.Counter, "whipsaw_egress_bytes_total", "Bytes sent over connections of publishers and viewers.", value(&e.sent)),
		metrics.Func(metrics.Gauge, "whipsaw_egress_bytes_per_second", "The same a second, over the last two seconds.", value(&e.rate)),
		metrics.Func(metrics.Gauge, "whipsaw_egress_max_bytes_per_second", "How many there may be for new viewers to be let in; 0 is any number.",
			func() float64 { return float64(e.limit) }),
		metrics.Func(metrics.Counter, "whipsaw_viewers_refused_total", "Requests of new viewers that were refused for the egress.", value(&e.denied)),
	}
}

// measure keeps the rate until ctx ends.
func (e *egress) measure(ctx context.Context) {
	t := time.NewTicker(egressStep)
	defer t.Stop()
	var past [egressSteps]int64 // what had been sent at the steps before
	for i := 0; ; i++ {
		select {
		case <-t.C:
			now := e.sent.Load()
			e.rate.Store((now - past[i%egressSteps]) * int64(time.Second) / int64(egressSteps*egressStep))
			past[i%egressSteps] = now
		case <-ctx.Done():
			return
		}
	}
}

type newcomerKey struct{}

// newcomer is the context of a connection of which it is not known yet whether a player has it that watches already.
func newcomer(ctx context.Context) context.Context {
	return context.WithValue(ctx, newcomerKey{}, new(atomic.Bool))
}

// room refuses new viewers while too much leaves: requests for a multivariant playlist on connections that have not
// carried anything of a stream yet. Whoever has a stream's other URLs watches, and goes on. It is for what players ask for;
// false: it has answered.
func (e *egress) room(w http.ResponseWriter, r *http.Request) bool {
	watches, known := r.Context().Value(newcomerKey{}).(*atomic.Bool)
	if !known || watches.Load() {
		return true
	}
	if e.limit <= 0 || e.rate.Load() <= e.limit || r.Method == http.MethodOptions || !strings.HasSuffix(r.URL.Path, "/index.m3u8") {
		watches.Store(true)
		return true
	}
	e.denied.Add(1)
	h := w.Header()
	h.Set("Retry-After", "10")
	h.Set("Cache-Control", "no-store")
	h.Set("Access-Control-Allow-Origin", "*") // a player in another page may tell why it does not play
	http.Error(w, "as much leaves this server as may: no room for another viewer now", http.StatusServiceUnavailable)
	return false
}

// counted is a socket of QUIC whose packets count.
func (e *egress) counted(conn net.PacketConn) net.PacketConn {
	u, ok := conn.(*net.UDPConn)
	if !ok {
		return conn
	}
	return &countedUDP{UDPConn: u, sent: &e.sent}
}

// countedUDP is a UDP socket with all that QUIC looks for in one.
type countedUDP struct {
	*net.UDPConn
	sent *atomic.Int64
}

// WriteMsgUDP sends one packet, or several at once.
func (c *countedUDP) WriteMsgUDP(b, oob []byte, to *net.UDPAddr) (n, oobn int, err error) {
	n, oobn, err = c.UDPConn.WriteMsgUDP(b, oob, to)
	c.sent.Add(int64(n))
	return n, oobn, err
}

// WriteTo sends one packet.
func (c *countedUDP) WriteTo(b []byte, to net.Addr) (int, error) {
	n, err := c.UDPConn.WriteTo(b, to)
	c.sent.Add(int64(n))
	return n, err
}
