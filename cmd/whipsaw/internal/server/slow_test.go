package server

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"

	"whipsaw/cmd/whipsaw/internal/config"
)

// running is a server with the settings of flags until the test ends.
func running(t *testing.T, headers time.Duration, flags ...string) Addresses {
	t.Helper()
	args := append([]string{"--listen", "127.0.0.1:0", "--webrtc-udp", "127.0.0.1:0", "--admin", "127.0.0.1:0"}, flags...)
	cfg, err := config.ParseServe(args, func(string) (string, bool) { return "", false })
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	started, ended := make(chan Addresses, 1), make(chan error, 1)
	go func() {
		ended <- Run(ctx, cfg, Options{HeaderTime: headers, Started: func(a Addresses) { started <- a }})
	}()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended)
	})
	select {
	case a := <-started:
		return a
	case err := <-ended:
		ended <- nil
		t.Fatalf("the server did not start: %v", err)
		return Addresses{}
	}
}

// dribble opens a connection to a listener, over TLS or not, says the beginning of something, then a byte now and then,
// until it is cut.
func dribble(at net.Addr, secure bool, beginning string) error {
	c, err := net.DialTimeout("tcp", at.String(), time.Minute)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		return err
	}
	if secure {
		c = tls.Client(c, &tls.Config{InsecureSkipVerify: true}) // a certificate made for the test
	}
	if _, err := io.WriteString(c, beginning); err != nil {
		return nil // cut already
	}
	cut := make(chan struct{})
	go func() {
		defer close(cut)
		_, _ = io.Copy(io.Discard, c) // an answer may tell why
	}()
	next := time.NewTicker(10 * time.Millisecond)
	defer next.Stop()
	for range 3000 {
		select {
		case <-cut:
			return nil
		case <-next.C:
			_, _ = io.WriteString(c, "x") // it may be cut in between
		}
	}
	return fmt.Errorf("%s: never cut after %q", at, beginning)
}

// On every listener connections that say a byte now and then are cut, and others are answered meanwhile.
func TestSlowloris(t *testing.T) {
	const soon = 500 * time.Millisecond
	plain := running(t, soon)
	secure := running(t, soon, "--tls-self-signed", "--http-redirect", "127.0.0.1:0")
	const head = "GET / HTTP/1.1\r\nHost: localhost\r\nX: "
	hello := "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" // half of it
	var slow sync.WaitGroup
	for _, c := range []struct {
		at     net.Addr
		secure bool
		says   string
	}{
		{plain.HTTP, false, ""}, {plain.HTTP, false, head}, {plain.HTTP, false, "G"},
		{plain.HTTP, false, http2.ClientPreface[:10]},
		{plain.Admin, false, ""}, {plain.Admin, false, head},
		{secure.HTTP, false, ""}, {secure.HTTP, false, hello}, {secure.HTTP, true, head}, {secure.HTTP, true, "G"},
		{secure.Redirect, false, ""}, {secure.Redirect, false, head},
		{secure.Admin, false, head},
	} {
		for range 10 {
			slow.Go(func() {
				if err := dribble(c.at, c.secure, c.says); err != nil {
					t.Error(err)
				}
			})
		}
	}
	client := &http.Client{
		Timeout:       time.Minute,
		Transport:     &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	for url, status := range map[string]int{
		plain.URL() + "/healthz": 200, plain.AdminURL() + "/healthz": 200, secure.URL() + "/healthz": 200, secure.AdminURL() + "/metrics": 200,
		"http://" + secure.Redirect.String() + "/healthz": 308,
	} {
		// on a machine that is busy with all of this a good client may be slow too
		require.Eventually(t, func() bool {
			r, err := client.Get(url)
			return err == nil && r.Body.Close() == nil && r.StatusCode == status
		}, time.Minute, 10*time.Millisecond, url)
	}
	slow.Wait()
}

// So it is with HTTP/2, where a frame may be begun and not ended, and headers be continued for ever.
func TestSlowHTTP2(t *testing.T) {
	headers := func(end bool) string {
		var b bytes.Buffer
		f := http2.NewFramer(&b, nil)
		_ = f.WriteHeaders(http2.HeadersFrameParam{ // to memory
			StreamID: 1, BlockFragment: []byte{0x82, 0x86, 0x84, 0x41, 0x01, 'a'}, EndStream: true, EndHeaders: end,
		})
		return b.String()
	}
	settings := "\x00\x00\x00\x04\x00\x00\x00\x00\x00"
	inBubble(t, bounded(hello), &connections{}, func(t *testing.T, p *pipes) {
		for name, says := range map[string]string{
			"half a preface":    http2.ClientPreface[:20],
			"nothing after it":  http2.ClientPreface,
			"no requests":       http2.ClientPreface + settings,
			"half a frame":      http2.ClientPreface + settings + headers(true)[:12],
			"headers to follow": http2.ClientPreface + settings + headers(false),
		} {
			begun, c := time.Now(), p.dial()
			gone := make(chan time.Duration, 1)
			go func() { gone <- cutAfter(t, c) }()
			_, err := io.WriteString(c, says)
			require.NoError(t, err, name)
			<-gone
			require.LessOrEqual(t, time.Since(begun), 2*time.Minute+time.Second, name)
		}
	})
}
