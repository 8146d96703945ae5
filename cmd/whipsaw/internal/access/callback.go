package access

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

const (
	answerTime  = 3 * time.Second // that the URL has to answer
	answerLife  = 5 * time.Second // that an answer is good for
	maxAnswers  = 4096            // kept at a time
	maxAsking   = 64              // questions at a time
	maxReadBody = 64 << 10        // bytes of an answer that are read, so that its connection can be used again
)

// callback asks a URL of the operator's. Its answers are kept for a moment, and who asks the same at the same time waits
// for one answer. When it cannot be asked nobody is let in.
type callback struct {
	gate *Gate
	url  string
	room chan struct{} // one for each question that runs

	mu      sync.Mutex
	answers map[[sha256.Size]byte]*answer
}

// answer is one that is there, or will be.
type answer struct {
	done  chan struct{} // closed when the others are set
	err   error
	until time.Time
}

func newCallback(g *Gate, url string) *callback {
	return &callback{gate: g, url: url, room: make(chan struct{}, maxAsking), answers: make(map[[sha256.Size]byte]*answer)}
}

// question is the body that the URL is sent.
type question struct {
	Action    Right  `json:"action"`
	Stream    string `json:"stream"`
	Token     string `json:"token"`
	IP        string `json:"ip"`
	UserAgent string `json:"user_agent"`
}

// ask returns what the URL thinks of a request: nil, ErrToken for its 401, ErrRight for its 403, else ErrUnavailable.
func (c *callback) ask(ctx context.Context, r Request) error {
	q := question{Action: r.Right, Stream: r.Stream, Token: r.Token, UserAgent: r.UserAgent}
	if r.Token == "" {
		return ErrToken
	}
	if r.Address.IsValid() {
		q.IP = r.Address.String()
	}
	body, err := json.Marshal(q)
	if err != nil { // strings always marshal
		return ErrUnavailable
	}
	a := c.find(sha256.Sum256(body), body)
	if a == nil {
		return ErrUnavailable
	}
	select {
	case <-a.done:
		return a.err
	case <-ctx.Done():
		return ErrUnavailable
	}
}

// find returns the answer for a key, that is there or on its way; nil if too much is being asked already.
func (c *callback) find(key [sha256.Size]byte, body []byte) *answer {
	c.mu.Lock()
	defer c.mu.Unlock()
	if a := c.answers[key]; a != nil && !a.over(time.Now()) {
		return a
	}
	select {
	case c.room <- struct{}{}:
	default:
		return nil
	}
	c.makeRoom()
	a := &answer{done: make(chan struct{})}
	c.answers[key] = a
	c.gate.background(answerTime, func(ctx context.Context) {
		err := c.post(ctx, body)
		<-c.room
		c.mu.Lock()
		defer c.mu.Unlock()
		a.err, a.until = err, time.Now().Add(answerLife)
		if errors.Is(err, ErrUnavailable) && c.answers[key] == a {
			delete(c.answers, key) // the next one may have more luck
		}
		close(a.done)
	})
	return a
}

// over reports whether an answer is too old. One on its way is not.
func (a *answer) over(now time.Time) bool {
	select {
	case <-a.done:
		return !now.Before(a.until)
	default:
		return false
	}
}

// makeRoom drops old answers when there are many, and if none is old any one that is there.
func (c *callback) makeRoom() {
	if len(c.answers) < maxAnswers {
		return
	}
	now := time.Now()
	for key, a := range c.answers {
		if a.over(now) {
			delete(c.answers, key)
		}
	}
	for key := range c.answers {
		if len(c.answers) < maxAnswers {
			return
		}
		delete(c.answers, key)
	}
}

// post asks the URL.
func (c *callback) post(ctx context.Context, body []byte) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err == nil {
		r.Header.Set("Content-Type", "application/json")
		var answer *http.Response
		if answer, err = c.gate.client.Do(r); err == nil {
			defer answer.Body.Close() // it was only read
			// Who gives no end of a body is cut off; the status has been told by then.
			_, _ = io.CopyN(io.Discard, answer.Body, maxReadBody)
			switch {
			case answer.StatusCode >= 200 && answer.StatusCode <= 299:
				return nil
			case answer.StatusCode == http.StatusUnauthorized:
				return ErrToken
			case answer.StatusCode == http.StatusForbidden:
				return ErrRight
			}
			err = fmt.Errorf("%w: %d", errStatus, answer.StatusCode)
		}
	}
	if c.gate.ctx.Err() == nil {
		c.gate.log.Warn("--auth-url does not tell who may come in, so nobody does", "err", withoutURL(err))
	}
	return ErrUnavailable
}
