package server

import (
	"net"
	"sync"
)

// gatherMost is what is kept back at most: net/http's buffer, and what TLS adds to it.
const gatherMost = 4096 + 64

// gathering lets the first small write of an answer wait for the next one. Its fields belong to the goroutine that answers.
type gathering struct {
	holds bool
	held  *[]byte
}

// heldBytes are lent to connections for the moment between two writes.
var heldBytes = sync.Pool{New: func() any { b := make([]byte, 0, gatherMost); return &b }}

// Hold keeps back the next small write until something follows it.
func (b *boundConn) Hold() { b.holds = true }

// Release sends what is kept back.
func (b *boundConn) Release() {
	b.holds = false
	if b.held != nil {
		_, _ = b.Write(nil) // a connection that is broken says so again
	}
}

// Write sends p, and what was kept back before it in the same call.
func (b *boundConn) Write(p []byte) (int, error) {
	if b.held == nil {
		if !b.holds || len(p) > gatherMost {
			n, err := b.Conn.Write(p)
			b.sent.Add(int64(n))
			return n, err
		}
		b.held = heldBytes.Get().(*[]byte)
		*b.held = append((*b.held)[:0], p...)
		return len(p), nil
	}
	first := int64(len(*b.held))
	both := net.Buffers{*b.held, p}
	n, err := both.WriteTo(b.Conn)
	b.sent.Add(n)
	heldBytes.Put(b.held)
	b.held, b.holds = nil, false
	return int(max(n-first, 0)), err
}
