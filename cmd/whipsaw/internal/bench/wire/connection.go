package wire

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// connection is one HTTP/1.1 connection, with one request on it at most.
type connection struct {
	owner   *plain
	network net.Conn
	arrival func() time.Time // when what was read last came; see arrival_linux.go
	read    func([]byte) (int, error)
	pass    func(n int) (int, error) // nil: the system cannot pass over bytes without copying them
	until   time.Time                // the deadline that is set
	in      []byte                   // received and not yet used; a part of head
	head    []byte
	buf     []byte // of the caller, for the body
	keep    bool
}

func newConnection(p *plain, network net.Conn) *connection {
	c := &connection{owner: p, network: network, head: make([]byte, 4096)}
	c.arrival, c.read, c.pass = time.Now, network.Read, nil
	if t, ok := network.(*net.TCPConn); ok {
		c.stamped(t)
	}
	return c
}

// send begins a request. Its bytes are not needed any more when it returns.
func (c *connection) send(request, buf []byte) error {
	c.keep = buf != nil
	c.buf = buf[:0]
	if err := c.extend(c.owner.factory.opts.Timeout); err != nil {
		return err
	}
	_, err := c.network.Write(request)
	return err
}

// Wait reads the answer.
func (c *connection) Wait() (Reply, error) {
	r, err := c.answer()
	if err != nil {
		c.owner.drop(c)
		return Reply{}, fmt.Errorf("receive an answer: %w", err)
	}
	return r, nil
}

func (c *connection) answer() (Reply, error) {
	h, err := c.header()
	if err != nil {
		return Reply{}, err
	}
	r := Reply{Status: h.status, Location: h.location, Gzip: h.gzip}
	switch {
	case h.status == 204 || h.status == 304: // RFC 9112 6.3
	case h.chunked:
		r.Size, err = c.chunks()
	case h.length >= 0:
		r.Size, err = h.length, c.take(h.length)
	default:
		h.last = true
		r.Size, err = c.rest()
	}
	if err != nil {
		return Reply{}, err
	}
	r.Last = c.arrival()
	if c.keep {
		r.Body = c.buf
	}
	if h.last {
		c.owner.drop(c)
	} else {
		c.owner.release(c)
	}
	return r, nil
}

// header reads the head of the answer, passing over interim ones (RFC 9110 15.2).
func (c *connection) header() (header, error) {
	for {
		end := bytes.Index(c.in, []byte("\r\n\r\n"))
		if end < 0 {
			if err := c.more(); err != nil {
				return header{}, err
			}
			continue
		}
		h, err := parseHeader(c.in[:end+2])
		if err != nil {
			return header{}, err
		}
		c.in = c.in[end+4:]
		if h.status >= 200 {
			return h, nil
		}
	}
}

// more reads into head behind what is there.
func (c *connection) more() error {
	if len(c.in) == 0 {
		c.in = c.head[:0]
	} else if cap(c.in) == len(c.in) || &c.in[0] != &c.head[0] {
		if len(c.in) >= maxHeader {
			return fmt.Errorf("%w: a head of over %d bytes", ErrTooLarge, maxHeader)
		}
		if len(c.in) == len(c.head) {
			c.head = make([]byte, 2*len(c.head))
		}
		c.in = c.head[:copy(c.head, c.in)]
	}
	n, err := c.read(c.in[len(c.in):cap(c.in)])
	c.in = c.in[:len(c.in)+n]
	if n > 0 {
		return nil
	}
	if err == nil || err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// scratch is where bytes are read that nobody keeps, while they are being read.
var scratch = sync.Pool{New: func() any { return new([64 << 10]byte) }}

// take takes n bytes of the body.
func (c *connection) take(n int64) error {
	if n > maxBody || c.keep && int64(len(c.buf))+n > maxKept {
		return fmt.Errorf("%w: a body of over %d bytes", ErrTooLarge, n)
	}
	have := min(n, int64(len(c.in)))
	if c.keep {
		c.buf = append(c.buf, c.in[:have]...)
	}
	c.in = c.in[have:]
	if n -= have; n == 0 {
		return nil
	}
	if c.keep {
		begin := len(c.buf)
		c.buf = append(c.buf, make([]byte, n)...)
		return c.fill(c.buf[begin:])
	}
	return c.discard(n)
}

func (c *connection) fill(b []byte) error {
	for len(b) > 0 {
		n, err := c.read(b)
		if b = b[n:]; n == 0 {
			return unexpected(err)
		}
	}
	return nil
}

func (c *connection) discard(n int64) error {
	if c.pass != nil {
		for n > 0 {
			passed, err := c.pass(int(n))
			if passed == 0 {
				return unexpected(err)
			}
			n -= int64(passed)
		}
		return nil
	}
	b := scratch.Get().(*[64 << 10]byte)
	defer scratch.Put(b)
	for n > 0 {
		got, err := c.read(b[:min(n, int64(len(b)))])
		if got == 0 {
			return unexpected(err)
		}
		n -= int64(got)
	}
	return nil
}

func unexpected(err error) error {
	if err == nil || err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// rest takes all that comes until the server closes the connection.
func (c *connection) rest() (int64, error) {
	size := int64(0)
	for {
		size += int64(len(c.in))
		if err := c.take(int64(len(c.in))); err != nil {
			return size, err
		}
		if size > maxBody {
			return size, fmt.Errorf("%w: a body without end", ErrTooLarge)
		}
		if err := c.more(); err != nil {
			if err == io.ErrUnexpectedEOF {
				return size, nil
			}
			return size, err
		}
	}
}

// chunks takes a body in chunks (RFC 9112 7.1) and returns its size.
func (c *connection) chunks() (int64, error) {
	size := int64(0)
	for {
		line, err := c.line()
		if err != nil {
			return size, err
		}
		n, err := chunkSize(line)
		if err != nil {
			return size, err
		}
		if n == 0 {
			return size, c.trailer()
		}
		if size += n; size > maxBody {
			return size, fmt.Errorf("%w: a body of over %d bytes", ErrTooLarge, size)
		}
		if err := c.take(n); err != nil {
			return size, err
		}
		if line, err = c.line(); err != nil || len(line) > 0 {
			return size, orProtocol(err, "a chunk does not end where it should")
		}
	}
}

// trailer passes over the fields behind the last chunk.
func (c *connection) trailer() error {
	for {
		line, err := c.line()
		if err != nil || len(line) == 0 {
			return err
		}
	}
}

// line takes one line without its end; it is valid until the next read.
func (c *connection) line() ([]byte, error) {
	for {
		if i := bytes.IndexByte(c.in, '\n'); i >= 0 {
			line := bytes.TrimSuffix(c.in[:i], []byte("\r"))
			c.in = c.in[i+1:]
			return line, nil
		}
		if err := c.more(); err != nil {
			return nil, err
		}
	}
}
