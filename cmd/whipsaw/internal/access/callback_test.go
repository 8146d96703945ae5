package access

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
)

// operator answers what --auth-url is asked. It needs no network.
type operator struct {
	mu     sync.Mutex
	asked  []map[string]string
	answer func(r *http.Request) (*http.Response, error) // of the next questions
}

func (o *operator) RoundTrip(r *http.Request) (*http.Response, error) {
	var q map[string]string
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
		return nil, err
	}
	o.mu.Lock()
	o.asked = append(o.asked, q)
	answer := o.answer
	o.mu.Unlock()
	return answer(r)
}

func (o *operator) questions() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.asked)
}

func (o *operator) say(status int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.answer = func(*http.Request) (*http.Response, error) {
		w := httptest.NewRecorder()
		w.WriteHeader(status)
		return w.Result(), nil
	}
}

func asking(t *testing.T, status int) (*operator, *Gate, *logged) {
	o := &operator{}
	o.say(status)
	g, log := remote(t, o, Config{URL: "https://user:pass@auth.example/ask?key=k3y"})
	return o, g, log
}

func TestCallbackQuestion(t *testing.T) {
	o, g, _ := asking(t, http.StatusOK)
	var header http.Header
	o.answer = func(r *http.Request) (*http.Response, error) {
		header = r.Header
		return httptest.NewRecorder().Result(), nil
	}
	r := Request{Right: Watch, Stream: "live", Token: "t0ken", Address: netip.MustParseAddr("2001:db8::1"), UserAgent: "OBS \"1\""}
	require.NoError(t, g.Authorize(context.Background(), r))
	require.Equal(t, []map[string]string{{"action": "watch", "stream": "live", "token": "t0ken", "ip": "2001:db8::1", "user_agent": "OBS \"1\""}}, o.asked)
	require.Equal(t, "application/json", header.Get("Content-Type"))
	require.Equal(t, "Basic dXNlcjpwYXNz", header.Get("Authorization"), "the user and password of the URL")
	require.Equal(t, ErrToken, g.Authorize(context.Background(), Request{Right: Publish, Stream: "live"}), "who shows nothing is not worth a question")
	sees, err := g.Watchable(context.Background(), Request{Token: "t0ken"})
	require.NoError(t, err)
	require.True(t, sees("any"))
	require.Len(t, o.asked, 2)
	require.Equal(t, map[string]string{"action": "watch", "stream": "*", "token": "t0ken", "ip": "", "user_agent": ""}, o.asked[1])
}

// 2xx lets in, 401 and 403 do not, and all else is no answer: nobody comes in by a fault.
func TestCallbackFailsClosed(t *testing.T) {
	for status, want := range map[int]error{200: nil, 201: nil, 204: nil, 299: nil, 401: ErrToken, 403: ErrRight,
		100: ErrUnavailable, 301: ErrUnavailable, 302: ErrUnavailable, 307: ErrUnavailable, 400: ErrUnavailable, 404: ErrUnavailable, 429: ErrUnavailable, 500: ErrUnavailable, 503: ErrUnavailable} {
		_, g, log := asking(t, status)
		require.Equal(t, want, may(g, Publish, "live", "t0ken"), status)
		_, err := g.Watchable(context.Background(), Request{Token: "t0ken"})
		require.Equal(t, want, err, status)
		for _, secret := range []string{"t0ken", "pass", "k3y"} {
			require.NotContains(t, log.String(), secret)
		}
	}
	o, g, log := asking(t, 200)
	o.answer = func(*http.Request) (*http.Response, error) { return nil, errors.New("no route") }
	require.Equal(t, ErrUnavailable, may(g, Publish, "live", "t0ken"))
	require.Contains(t, log.String(), "no route")
	for _, secret := range []string{"t0ken", "pass", "k3y", "auth.example"} {
		require.NotContains(t, log.String(), secret)
	}
}

// What is known here is decided here.
func TestCallbackComesLast(t *testing.T) {
	o, g, _ := asking(t, http.StatusOK)
	require.NoError(t, g.Replace(Config{URL: "https://auth.example/", Tokens: []Token{token(t, Publish, "mine", "static")}, JWT: JWT{Secret: jwtSecret}}))
	require.NoError(t, may(g, Publish, "mine", "static"))
	require.Equal(t, ErrRight, may(g, Publish, "other", "static"))
	require.Zero(t, o.questions())
	require.NoError(t, may(g, Publish, "other", "else"))
	require.NoError(t, may(g, Publish, "other", "a.b.c"), "what looks like a JWT may be one of the operator's own")
	require.Equal(t, 2, o.questions())
	expired := signed(t, jwt.SigningMethodHS256, []byte(jwtSecret), "", body(map[string]any{"exp": 1}))
	require.Equal(t, ErrExpired, may(g, Publish, "other", expired), "what was good once is known")
	_, err := g.Watchable(context.Background(), Request{Token: expired})
	require.Equal(t, ErrExpired, err)
	require.Equal(t, 2, o.questions())
}

// A hanging URL holds a request for three seconds, and is asked again by the next.
func TestCallbackTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, g, _ := asking(t, 200)
		defer g.Close()
		o.answer = func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}
		for i := range 2 {
			begun := time.Now()
			require.Equal(t, ErrUnavailable, may(g, Publish, "live", "t0ken"))
			require.Equal(t, answerTime, time.Since(begun))
			require.Equal(t, i+1, o.questions())
		}
		o.say(200)
		require.NoError(t, may(g, Publish, "live", "t0ken"))
	})
}

// A body without end costs no more than its time, and the answer counts.
func TestCallbackEndlessBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, g, _ := asking(t, 200)
		defer g.Close()
		read := 0
		o.answer = func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 204, Body: io.NopCloser(endless{&read})}, nil
		}
		require.NoError(t, may(g, Publish, "live", "t0ken"))
		require.LessOrEqual(t, read, 2*maxReadBody)
	})
}

type endless struct{ n *int }

func (e endless) Read(p []byte) (int, error) {
	*e.n += len(p)
	return len(p), nil
}

// Answers are kept for a moment, each for exactly what was asked.
func TestCallbackKeepsAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for status, want := range map[int]error{200: nil, 401: ErrToken, 403: ErrRight} {
			o, g, _ := asking(t, status)
			r := Request{Right: Publish, Stream: "live", Token: "t0ken", Address: netip.MustParseAddr("192.0.2.1"), UserAgent: "a"}
			for range 3 {
				require.Equal(t, want, g.Authorize(context.Background(), r))
			}
			require.Equal(t, 1, o.questions(), "asked once")
			others := []Request{r, r, r, r, r}
			others[0].Right, others[1].Stream, others[2].Token, others[3].Address, others[4].UserAgent = Watch, "live2", "t0ken2", netip.MustParseAddr("192.0.2.2"), "b"
			for i, other := range others {
				require.Equal(t, want, g.Authorize(context.Background(), other))
				require.Equal(t, 2+i, o.questions(), "another question")
			}
			<-time.After(answerLife) // virtual time
			o.say(403)
			require.Equal(t, ErrRight, g.Authorize(context.Background(), r))
			g.Close()
		}
	})
}

// Many who ask the same wait for one answer; too many who ask different things are sent away.
func TestCallbackFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, g, _ := asking(t, 200)
		defer g.Close()
		release := make(chan struct{})
		o.answer = func(*http.Request) (*http.Response, error) {
			<-release
			return httptest.NewRecorder().Result(), nil
		}
		var in, out atomic.Int32
		ask := func(token string) {
			go func() {
				if may(g, Publish, "live", token) == nil {
					in.Add(1)
				} else {
					out.Add(1)
				}
			}()
		}
		for range 100 {
			ask("same")
		}
		synctest.Wait()
		require.Equal(t, 1, o.questions())
		for i := range 100 {
			ask(fmt.Sprint("different", i))
		}
		synctest.Wait()
		require.Equal(t, maxAsking, o.questions())
		require.Equal(t, int32(100-maxAsking+1), out.Load())
		close(release)
		synctest.Wait()
		require.Equal(t, int32(100+maxAsking-1), in.Load())

		// A patient flood does not fill the memory.
		for i := range maxAnswers + 100 {
			require.NoError(t, may(g, Publish, "live", fmt.Sprint("patient", i)))
		}
		c := g.rules.Load().callback
		require.LessOrEqual(t, len(c.answers), maxAnswers)
		for key := range c.answers {
			require.NotContains(t, string(key[:]), "patient")
		}
	})
}

// Over a real connection: headers that do not come in time, and one that never ends.
func TestCallbackOverHTTP(t *testing.T) {
	var mode atomic.Value
	mode.Store("allow")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch mode.Load() {
		case "redirect":
			if r.URL.Path == "/ask" {
				http.Redirect(w, r, "/else", http.StatusTemporaryRedirect)
			}
		case "headers":
			w.Header().Set("X", strings.Repeat("x", 1<<20))
		case "cut":
			panic(http.ErrAbortHandler)
		}
	}))
	defer server.Close()
	g, log := gate(t, Config{URL: server.URL + "/ask"})
	require.NoError(t, may(g, Publish, "live", "t0ken"))
	for _, m := range []string{"redirect", "headers", "cut"} {
		mode.Store(m)
		require.Equal(t, ErrUnavailable, may(g, Publish, m, "t0ken"), m)
	}
	server.Close()
	require.Equal(t, ErrUnavailable, may(g, Publish, "closed", "t0ken"))
	require.NotContains(t, log.String(), "t0ken")
}

// Close ends questions that nobody answers.
func TestCloseEndsQuestions(t *testing.T) {
	o, g, _ := asking(t, 200)
	asked := make(chan struct{})
	o.answer = func(r *http.Request) (*http.Response, error) {
		close(asked)
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	result := make(chan error, 1)
	go func() { result <- may(g, Publish, "live", "t0ken") }()
	<-asked
	g.Close()
	require.Equal(t, ErrUnavailable, <-result)
}
