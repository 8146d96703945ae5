package wire

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/quic-go/quic-go/http3"
	"github.com/stretchr/testify/require"
)

// newest runs a server that speaks one version alone, and returns its URL.
func newest(t *testing.T, version string, secure bool, h http.Handler) string {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.EnableHTTP2 = true
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetUnencryptedHTTP2(!secure)
	s.Config.Protocols.SetHTTP2(secure)
	if !secure {
		s.Start()
		t.Cleanup(s.Close)
		return s.URL
	}
	s.StartTLS()
	t.Cleanup(s.Close)
	if version == HTTP2 {
		return s.URL
	}
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	h3 := &http3.Server{Handler: h, TLSConfig: http3.ConfigureTLSConfig(&tls.Config{Certificates: s.TLS.Certificates})}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = h3.Serve(udp) // it is closed below
	}()
	t.Cleanup(func() {
		_ = h3.Close()
		_ = udp.Close()
		<-done
	})
	return "https://" + udp.LocalAddr().String()
}

func TestStandard(t *testing.T) {
	for name, c := range map[string]struct {
		version string
		secure  bool
		proto   int
	}{"h2c": {HTTP2, false, 2}, "h2": {HTTP2, true, 2}, "h3": {HTTP3, true, 3}} {
		t.Run(name, func(t *testing.T) {
			asked := make(chan struct{}, 10)
			at := newest(t, c.version, c.secure, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch r.URL.Path {
				case "/wait":
					asked <- struct{}{}
					<-r.Context().Done()
				case "/away":
					http.Redirect(w, r, "/there", http.StatusFound)
				default:
					w.Header().Set("Content-Encoding", "gzip")
					fmt.Fprint(w, r.ProtoMajor, r.URL.RawQuery, r.UserAgent(), strings.Repeat("x", 100000))
				}
			}))
			o := Options{Version: c.version, Insecure: true, UserAgent: "bench"}
			v := client(t, at, o)
			want := fmt.Sprint(c.proto) + "a=bbench" + strings.Repeat("x", 100000)
			r, err := v.Start(t.Context(), "/x?a=b", []byte{}).Wait()
			require.NoError(t, err)
			require.Equal(t, want, string(r.Body))
			require.True(t, r.Gzip)
			r, err = v.Start(t.Context(), "/x?a=b", nil).Wait()
			require.NoError(t, err)
			require.Equal(t, int64(len(want)), r.Size)
			require.Nil(t, r.Body)
			require.False(t, r.Last.IsZero())

			r, err = v.Start(t.Context(), "/away", nil).Wait()
			require.NoError(t, err)
			require.Equal(t, 302, r.Status)
			require.Equal(t, "/there", r.Location)

			ctx, cancel := context.WithCancel(t.Context())
			p := v.Start(ctx, "/wait", nil)
			<-asked
			cancel()
			_, err = p.Wait()
			require.ErrorIs(t, err, context.Canceled)
			p = v.Start(t.Context(), "/wait", nil)
			<-asked
			v.Close()
			_, err = p.Wait()
			require.Error(t, err)
		})
	}
}

func TestFactoryRefuses(t *testing.T) {
	for _, c := range []struct{ at, version string }{{"http://127.0.0.1:1", HTTP3}, {"http://127.0.0.1:1", "4"}} {
		_, err := NewFactory(httptest.NewRequest(http.MethodGet, c.at, nil).URL, Options{Version: c.version})
		require.Error(t, err)
	}
}
