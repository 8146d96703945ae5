package server

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"whipsaw/cmd/whipsaw/internal/metrics"
)

// connections bounds how many publishers and viewers are connected at a time. Some more are answered with 503, so that
// they know why; what comes beyond those is closed at once.
type connections struct {
	most    int64 // 0: no bound
	open    atomic.Int64
	refused atomic.Int64 // told or closed, since the start

	egress
}

// collectors are the metrics of c.
func (c *connections) collectors() []metrics.Collector {
	return append(c.egress.collectors(),
		metrics.Func(metrics.Gauge, "whipsaw_connections", "Connections of publishers and viewers over HTTP.",
			func() float64 { return float64(c.open.Load()) }),
		metrics.Func(metrics.Gauge, "whipsaw_connections_max", "How many there may be; 0 is any number.",
			func() float64 { return float64(c.most) }),
		metrics.Func(metrics.Counter, "whipsaw_connections_refused_total", "Connections that were one too many.",
			func() float64 { return float64(c.refused.Load()) }),
	)
}

// How many connections over the bound are told about it, and for how long each.
const (
	toldMost = 64
	toldTime = 5 * time.Second
)

// bound makes l keep to c.
func (c *connections) bound(l net.Listener) net.Listener {
	return &boundListener{Listener: l, count: c}
}

type boundListener struct {
	net.Listener
	count *connections
}

func (l *boundListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		n := l.count.open.Add(1)
		b := &boundConn{Conn: conn, count: l.count}
		switch most := l.count.most; {
		case most == 0 || n <= most:
			return b, nil
		case n <= most+toldMost:
			l.count.refused.Add(1)
			b.excess = true
			b.end = time.AfterFunc(toldTime, b.cut)
			return b, nil
		}
		l.count.refused.Add(1)
		b.cut()
	}
}

// boundConn counts until it is closed.
type boundConn struct {
	net.Conn
	count    *connections
	released atomic.Bool
	excess   bool        // over the bound: only to be told so
	end      *time.Timer // of an excess one
}

// Write counts what it sends.
func (b *boundConn) Write(p []byte) (int, error) {
	n, err := b.Conn.Write(p)
	b.count.sent.Add(int64(n))
	return n, err
}

// release counts it no more.
func (b *boundConn) release() {
	if !b.released.Swap(true) {
		b.count.open.Add(-1)
	}
}

func (b *boundConn) Close() error {
	b.release()
	if b.end != nil {
		b.end.Stop()
	}
	return b.Conn.Close()
}

// cut closes a connection that is not served.
func (b *boundConn) cut() {
	b.release()
	_ = b.Conn.Close() // nobody is left to be told
}

type excessKey struct{}

// mark is http.Server.ConnContext: requests on a connection over the bound know it.
func mark(ctx context.Context, conn net.Conn) context.Context {
	if t, ok := conn.(*tls.Conn); ok {
		conn = t.NetConn()
	}
	ctx = newcomer(ctx)
	if b, ok := conn.(*boundConn); ok && b.excess {
		return context.WithValue(ctx, excessKey{}, true)
	}
	return ctx
}

// roomOnly answers requests on connections over the bound.
func roomOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Context().Value(excessKey{}) == nil {
			next.ServeHTTP(w, r)
			return
		}
		refuseExcess(w)
	})
}

func refuseExcess(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Connection", "close") // with HTTP/2 it ends the connection as well
	h.Set("Retry-After", "5")
	h.Set("Cache-Control", "no-store")
	h.Set("Access-Control-Allow-Origin", "*") // a player in another page may tell why it does not play
	http.Error(w, "too many connections", http.StatusServiceUnavailable)
}

// mostConnections is the bound for a setting: 0 leaves a tenth of the files that may be open to everything else.
func mostConnections(setting int) int64 {
	if setting > 0 {
		return int64(setting)
	}
	files := openFiles()
	return files - files/10
}
