package server

import (
	"context"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"whipsaw/cmd/whipsaw/internal/traffic"
)

// accessLog logs each request when it has been answered, at debug level; at any other it costs nothing.
func accessLog(log *slog.Logger) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		if !log.Enabled(context.Background(), slog.LevelDebug) {
			return next
		}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			start := time.Now()
			wrapped := &traffic.Recorder{ResponseWriter: w}
			defer func() {
				log.Debug("request", "method", r.Method, "path", withoutSecret(r.URL.Path), "status", wrapped.Status,
					"bytes", wrapped.Bytes, "took", time.Since(start), "remote", r.RemoteAddr, "proto", r.Proto)
			}()
			next.ServeHTTP(wrapped, r)
		})
	}
}

// withoutSecret is a path as it may be logged: whoever knows the URL of a session may end it, and whoever knows a signed
// link may watch.
func withoutSecret(path string) string {
	part := strings.Split(path, "/") // "", whip, stream, session; "", hls or watch, ~expires~signature, stream...
	for i, p := range part {
		if i >= 2 && part[i-2] == "whip" && p != "" {
			return strings.Join(append(part[:i], "***"), "/")
		}
		if expires, ok := strings.CutPrefix(p, "~"); ok {
			expires, _, _ = strings.Cut(expires, "~")
			part[i] = "~" + expires + "~***"
		}
	}
	return strings.Join(part, "/")
}

// recovered keeps a fault in one request from ending the server.
func recovered(log *slog.Logger) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer func() {
				v := recover()
				if v == nil {
					return
				}
				if v == http.ErrAbortHandler {
					panic(v)
				}
				log.Error("fault while answering a request", "method", r.Method, "path", withoutSecret(r.URL.Path),
					"fault", v, "stack", string(debug.Stack()))
				w.Header().Set("Cache-Control", "no-store")
				// Without effect if the answer has begun.
				http.Error(w, "a fault of this server; its log tells more", http.StatusInternalServerError)
			}()
			next.ServeHTTP(w, r)
		})
	}
}
