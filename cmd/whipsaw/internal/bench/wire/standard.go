package wire

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/quic-go/quic-go/http3"
)

// standard speaks HTTP/2 with net/http, on http in clear text with prior knowledge (RFC 9113 3.3), or HTTP/3 with quic-go:
// all requests of a viewer share one connection. It costs the bench more than plain does.
type standard struct {
	factory   *Factory
	transport http.RoundTripper
	ctx       context.Context
	cancel    context.CancelFunc
}

func newStandard(f *Factory) *standard {
	s := &standard{factory: f}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	if f.opts.Version == HTTP3 {
		s.transport = &http3.Transport{TLSClientConfig: f.tls, DisableCompression: true}
		return s
	}
	var protocols http.Protocols
	protocols.SetHTTP2(f.tls != nil)
	protocols.SetUnencryptedHTTP2(f.tls == nil)
	s.transport = &http.Transport{TLSClientConfig: f.tls.Clone(), Protocols: &protocols, DisableCompression: true}
	return s
}

// exchange is one request and its answer.
type exchange struct {
	reply Reply
	err   error
	done  chan struct{}
}

func (s *standard) Start(ctx context.Context, target string, buf []byte) Pending {
	x := &exchange{done: make(chan struct{})}
	go func() {
		defer close(x.done)
		ctx, cancel := context.WithTimeout(ctx, s.factory.opts.Timeout)
		defer cancel()
		defer context.AfterFunc(s.ctx, cancel)()
		x.reply, x.err = s.exchange(ctx, target, buf)
	}()
	return x
}

func (x *exchange) Wait() (Reply, error) {
	<-x.done
	return x.reply, x.err
}

func (s *standard) exchange(ctx context.Context, target string, buf []byte) (Reply, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.factory.origin.Scheme+"://"+s.factory.origin.Host+target, nil)
	if err != nil {
		return Reply{}, err
	}
	request.Header.Set("User-Agent", s.factory.opts.UserAgent)
	request.Header.Set("Accept-Encoding", "gzip")
	answer, err := s.transport.RoundTrip(request)
	if err != nil {
		return Reply{}, err
	}
	defer answer.Body.Close()
	r := Reply{
		Status: answer.StatusCode, Location: answer.Header.Get("Location"), Gzip: answer.Header.Get("Content-Encoding") == "gzip",
	}
	if buf != nil {
		r.Body, err = appendAll(buf[:0], answer.Body)
		r.Size = int64(len(r.Body))
	} else {
		b := scratch.Get().(*[64 << 10]byte)
		defer scratch.Put(b)
		r.Size, err = io.CopyBuffer(onlyWriter{}, io.LimitReader(answer.Body, maxBody), b[:])
	}
	r.Last = time.Now()
	return r, err
}

// onlyWriter passes over what is written to it. Unlike io.Discard it has no buffer of its own.
type onlyWriter struct{}

func (onlyWriter) Write(b []byte) (int, error) { return len(b), nil }

func appendAll(b []byte, from io.Reader) ([]byte, error) {
	for {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		n, err := from.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		switch {
		case errors.Is(err, io.EOF):
			return b, nil
		case err != nil:
			return b, err
		case len(b) > maxKept:
			return b, ErrTooLarge
		}
	}
}

// Close ends the connection and all requests on it.
func (s *standard) Close() {
	s.cancel()
	switch t := s.transport.(type) {
	case *http.Transport:
		t.CloseIdleConnections()
	case *http3.Transport:
		_ = t.Close() // who waits on it gets the error
	}
}
