package server

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSecured(t *testing.T) {
	ask := func(h http.Handler, overTLS bool) http.Header {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		if overTLS {
			r.TLS = &tls.ConnectionState{}
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Header()
	}
	all := secured(8443, 720*time.Hour)(hello)
	require.Equal(t, `h3=":8443"; ma=86400`, ask(all, true).Get("Alt-Svc"))
	require.Equal(t, "max-age=2592000", ask(all, true).Get("Strict-Transport-Security"))
	for _, name := range []string{"Alt-Svc", "Strict-Transport-Security"} {
		require.Empty(t, ask(all, false).Get(name), "RFC 6797 7.2: not over plain HTTP")
		require.Empty(t, ask(secured(0, 0)(hello), true).Get(name))
	}
}
