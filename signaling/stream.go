package signaling

import (
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

const (
	// streamWriteTime is how long a packet to a publisher that does not read may take, until its connection is given up.
	streamWriteTime = 2 * time.Second
	// streamLinger is how long a connection that was closed here waits for the publisher to close it as well.
	streamLinger = time.Second
)

// stream is a publisher's TCP connection. The publisher may be sending when it is closed here: closed at once, with
// packets unread, the kernel would reset it, and the close_notify that was just written would be lost on the way. So it is
// closed for writing, and what still comes is read and dropped for a moment.
type stream struct {
	*net.TCPConn
	over func() // called when the connection is gone

	reading sync.Mutex // held by the one reader

	mu     sync.Mutex
	closed bool
}

// Read reads as the connection does, until Close.
func (s *stream) Read(b []byte) (int, error) {
	s.reading.Lock()
	defer s.reading.Unlock()
	if s.isClosed() {
		return 0, net.ErrClosed
	}
	return s.TCPConn.Read(b)
}

func (s *stream) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// Write writes all of b, or closes the connection: half a packet could not be mended by what follows (RFC 4571 2).
func (s *stream) Write(b []byte) (int, error) {
	if err := s.TCPConn.SetWriteDeadline(time.Now().Add(streamWriteTime)); err != nil {
		return 0, fmt.Errorf("signaling: TCP: %w", err)
	}
	n, err := s.TCPConn.Write(b)
	if err != nil {
		_ = s.TCPConn.Close() // its reader notices, and closes the rest
		return n, fmt.Errorf("signaling: TCP: %w", err)
	}
	return n, nil
}

// SetReadDeadline and its kin are the connection's until Close; from then on they are the stream's own.
func (s *stream) SetReadDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	return s.TCPConn.SetReadDeadline(t)
}

// SetWriteDeadline does nothing: Write has its own.
func (s *stream) SetWriteDeadline(time.Time) error { return nil }

// SetDeadline sets what SetReadDeadline does.
func (s *stream) SetDeadline(t time.Time) error { return s.SetReadDeadline(t) }

// Close ends reading at once. What was written still arrives; over is called a moment later.
func (s *stream) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	_ = s.TCPConn.SetReadDeadline(time.Unix(1, 0)) // wakes the reader; an error means that it is gone already
	go s.linger()
	return nil
}

func (s *stream) linger() {
	defer s.over()
	s.reading.Lock() // the reader has left
	defer s.reading.Unlock()
	if s.CloseWrite() == nil && s.TCPConn.SetReadDeadline(time.Now().Add(streamLinger)) == nil {
		_, _ = io.Copy(io.Discard, s.TCPConn) // to the publisher's end or the deadline
	}
	_ = s.TCPConn.Close() // it may be closed already, by the other side or by Write
}
