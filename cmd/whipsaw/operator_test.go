package main

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whipsaw/cmd/whipsaw/internal/events"
	"whipsaw/cmd/whipsaw/internal/webhook"
)

// An operator sees a real publisher come, kicks it, keeps it out, and ends the stream; the webhook hears all of it.
func TestOperator(t *testing.T) {
	told := make(chan events.Event, 100)
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var e events.Event
		if err != nil || json.Unmarshal(body, &e) != nil || r.Header.Get(webhook.HeaderSignature) != webhook.Sign("s3cret", r.Header.Get(webhook.HeaderTimestamp), body) {
			t.Errorf("a bad request came: %s", body)
		}
		told <- e
	}))
	defer hook.Close()
	s := serve(t, "--webhook="+hook.URL+"/secret-path", "--webhook-secret=s3cret")
	listen, err := http.Get(s.AdminURL() + "/api/events")
	require.NoError(t, err)
	defer listen.Body.Close()
	lines := bufio.NewScanner(listen.Body)
	ended, stop := s.publish("live", true)
	defer stop()
	next := func(kind string) events.Event {
		t.Helper()
		for {
			select {
			case e := <-told:
				if e.Type == kind {
					return e
				}
			case <-time.After(patience):
				t.Fatalf("nobody was told of %s", kind)
			}
		}
	}
	require.Equal(t, "test", next("publish-started").UserAgent)
	live := next("live")
	require.NotEmpty(t, live.Generation)
	require.Positive(t, live.ID, "the number that it has for listeners too")
	change := func(method, path, body string) string {
		t.Helper()
		r, err := http.NewRequest(method, s.AdminURL()+"/api/streams/live"+path, strings.NewReader(body))
		require.NoError(t, err)
		answer, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, answer.StatusCode, "%s", text)
		return string(text)
	}
	require.Contains(t, change("GET", "/snapshot", ""), "#EXTM3U")
	require.Contains(t, change("POST", "/kick", `{"block": "1h"}`), "blocked_until")
	require.EqualValues(t, "kicked", next("publish-ended").Reason)
	eventually(t, "the publisher is told and tries again in vain", func() bool { return strings.Contains(s.log.String(), "problem=blocked") })
	change("DELETE", "", "")
	next("ended")
	stop()
	<-ended
	var heard []string
	for len(heard) < 4 && lines.Scan() {
		if kind, ok := strings.CutPrefix(lines.Text(), "event: "); ok && kind != events.Finding {
			heard = append(heard, kind)
		}
	}
	require.Equal(t, []string{"publish-started", "live", "publish-ended", "ended"}, heard)
	require.NoError(t, s.stop())
	for _, secret := range []string{"s3cret", "secret-path"} {
		require.NotContains(t, s.log.String(), secret)
	}
}
