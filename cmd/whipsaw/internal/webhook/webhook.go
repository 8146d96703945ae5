// Package webhook tells a URL what happens to streams: signed, retried with growing pauses, and never in anybody's way.
package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"

	"whipsaw/cmd/whipsaw/internal/doctor"
	"whipsaw/cmd/whipsaw/internal/events"
	"whipsaw/cmd/whipsaw/internal/metrics"
)

// Headers of a request. The signature is "sha256=" and the hexadecimal HMAC-SHA256, under the secret, of the timestamp's
// text, a full stop and the body: whoever checks it also refuses timestamps that are too old.
const (
	HeaderSignature = "Whipsaw-Signature"
	HeaderTimestamp = "Whipsaw-Timestamp" // seconds since the Unix epoch, when this attempt was sent
	HeaderDelivery  = "Whipsaw-Delivery"  // the same for all attempts at one event
)

const (
	queueRoom  = 256 // events that wait; more are dropped, and counted
	attempts   = 6   // for one event
	firstPause = time.Second
	maxPause   = 30 * time.Second
	answerTime = 10 * time.Second // for one attempt
	staleAfter = 5 * time.Minute  // an event that is older when its turn comes is dropped
)

// Config says whom to tell.
type Config struct {
	URL    string // http or https
	Secret string // signs; empty: nothing is signed
}

// Sender delivers events, one after the other, so that they arrive in order.
type Sender struct {
	cfg    Config
	client *http.Client
	log    *slog.Logger
	queue  chan events.Event
	now    func() time.Time

	delivered, failed, dropped atomic.Uint64
}

// New returns a Sender; Run delivers.
func New(cfg Config, log *slog.Logger) *Sender {
	return &Sender{
		cfg: cfg, log: log, queue: make(chan events.Event, queueRoom), now: time.Now,
		client: &http.Client{
			Timeout: answerTime,
			CheckRedirect: func(*http.Request, []*http.Request) error {
				return http.ErrUseLastResponse // what is signed for one address is sent to no other
			},
		},
	}
}

// Send queues an event without waiting. Findings that are mere information are left out.
func (s *Sender) Send(e events.Event) {
	if e.Finding != nil && e.Finding.Severity == doctor.Info {
		return
	}
	select {
	case s.queue <- e:
	default:
		s.dropped.Add(1)
		s.log.Warn("webhook is too slow: an event is not told", "type", e.Type, "stream", e.Stream)
	}
}

// Run delivers until ctx ends.
func (s *Sender) Run(ctx context.Context) {
	defer s.client.CloseIdleConnections()
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-s.queue:
			s.deliver(ctx, e)
		}
	}
}

// Drain delivers what is queued, each event with one attempt, until ctx ends: when the server goes. Run must have ended.
func (s *Sender) Drain(ctx context.Context) {
	defer s.client.CloseIdleConnections()
	for {
		select {
		case e := <-s.queue:
			if _, err := s.attempt(ctx, e, rand.Text()); err != nil {
				s.failed.Add(1)
				continue
			}
			s.delivered.Add(1)
		default:
			return
		}
		if ctx.Err() != nil {
			return
		}
	}
}

// deliver tries one event until it has arrived, it is of no more use, or ctx ends.
func (s *Sender) deliver(ctx context.Context, e events.Event) {
	id := rand.Text()
	pause := firstPause
	for n := 1; ; n++ {
		if s.now().Sub(e.At) > staleAfter {
			s.dropped.Add(1)
			s.log.Warn("webhook is too slow: an event is not told", "type", e.Type, "stream", e.Stream)
			return
		}
		retry, err := s.attempt(ctx, e, id)
		if err == nil {
			s.delivered.Add(1)
			return
		}
		if ctx.Err() != nil {
			return
		}
		if !retry || n == attempts {
			s.failed.Add(1)
			s.log.Warn("webhook failed", "type", e.Type, "stream", e.Stream, "attempts", n, "err", err)
			return
		}
		s.log.Debug("webhook is tried again", "type", e.Type, "stream", e.Stream, "attempt", n, "pause", pause, "err", err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		pause = min(pause*2, maxPause)
	}
}

// errAnswer is an answer that is no success.
var errAnswer = errors.New("the answer was")

// attempt sends an event once. retry says whether another attempt may help.
func (s *Sender) attempt(ctx context.Context, e events.Event, id string) (retry bool, err error) {
	body, err := json.Marshal(e)
	if err != nil {
		return false, fmt.Errorf("encode the event: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.cfg.URL, bytes.NewReader(body))
	if err != nil {
		return false, hidden(err)
	}
	stamp := strconv.FormatInt(s.now().Unix(), 10)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "whipsaw")
	r.Header.Set(HeaderTimestamp, stamp)
	r.Header.Set(HeaderDelivery, id)
	if s.cfg.Secret != "" {
		r.Header.Set(HeaderSignature, Sign(s.cfg.Secret, stamp, body))
	}
	answer, err := s.client.Do(r)
	if err != nil {
		return true, hidden(err)
	}
	// What it says does not matter; a little is read so that the connection can be used again.
	_, _ = io.CopyN(io.Discard, answer.Body, 16<<10)
	_ = answer.Body.Close()
	code := answer.StatusCode
	if code >= 200 && code < 300 {
		return false, nil
	}
	retry = code >= 500 || code == http.StatusTooManyRequests || code == http.StatusRequestTimeout
	return retry, fmt.Errorf("%w %d", errAnswer, code)
}

// hidden takes the URL out of an error: it may hold a secret.
func hidden(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return errors.New("the URL cannot be asked")
}

// Sign makes the value of HeaderSignature.
func Sign(secret, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = mac.Write([]byte(timestamp + ".")) // never fails (hash)
	_, _ = mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

var descEvents = metrics.New(metrics.Counter, "whipsaw_webhook_events_total", "Events for the webhook, by what became of them.", "result")

// Collect tells of all events (metrics.Collector).
func (s *Sender) Collect(p *metrics.Page) {
	for result, n := range map[string]*atomic.Uint64{"delivered": &s.delivered, "failed": &s.failed, "dropped": &s.dropped} {
		p.Value(descEvents, float64(n.Load()), result)
	}
}
