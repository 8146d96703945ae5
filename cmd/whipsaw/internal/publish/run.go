package publish

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"time"

	"whipsaw/signaling/client"
)

// Options say where and how to send.
type Options struct {
	URL        string // WHIP endpoint
	Token      string // Bearer token; empty: none
	Loop       bool   // begin again at the end
	Reconnect  time.Duration
	UserAgent  string
	Log        *slog.Logger // nil: none
	Progress   io.Writer    // where a line about the progress goes; nil: nowhere
	HTTPClient *http.Client // nil: an ordinary one
	Redraw     bool         // Progress is a terminal: the line is written over and over again
}

const (
	firstDelay = 500 * time.Millisecond
	maxDelay   = 5 * time.Second
	deleteTime = 3 * time.Second
	// settled is how long a session must have lasted for the next loss to be a new one.
	settled = 10 * time.Second
)

// Run publishes the file until its end, or in a loop until ctx ends; both end the session with DELETE and return nil.
// When the server cannot be reached or goes away it tries again, for Reconnect at most, from the keyframe where it was.
// An answer that more tries would not change is returned at once.
func Run(ctx context.Context, m *Media, o Options) error {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	c := newCounter(o.Progress, o.Redraw)
	defer c.close()
	head := newPlayhead(m.video, m.audio, o.Loop)
	delay, giveUp := firstDelay, time.Now().Add(o.Reconnect)
	for {
		begun := time.Now()
		err := once(ctx, m, head, o, c)
		if err == nil || ctx.Err() != nil {
			return nil
		}
		if time.Since(begun) > settled {
			delay, giveUp = firstDelay, time.Now().Add(o.Reconnect)
		}
		wait := max(delay/2+rand.N(delay), retryAfter(err))
		if final(err) || time.Now().Add(wait).After(giveUp) {
			return err
		}
		c.say("waiting: %v", err)
		o.Log.Debug("trying again", "in", wait, "err", err)
		if !sleep(ctx, wait) {
			return nil
		}
		delay = min(2*delay, maxDelay)
		head.resume()
	}
}

// once publishes over one session and ends it.
func once(ctx context.Context, m *Media, head *playhead, o Options, c *counter) error {
	c.say("connecting to %s", o.URL)
	opts := client.Options{URL: o.URL, Token: o.Token, Logger: o.Log, UserAgent: o.UserAgent, HTTPClient: o.HTTPClient}
	if m.video != nil {
		opts.Video = &client.VideoOptions{SPS: m.video.SPS, PPS: m.video.PPS}
	}
	if m.audio != nil {
		opts.Audio = &client.AudioOptions{Mono: m.audio.Channels == 1}
	}
	s, err := client.Publish(ctx, opts)
	if err != nil {
		return err
	}
	c.say("live")
	sendErr := newSender(m, head, s, c).run(ctx)
	// Also when ctx has ended: the server is told, so that viewers are not left to wait.
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), deleteTime)
	defer cancel()
	closeErr := s.Close(end)
	if sendErr != nil {
		return sendErr
	}
	if closeErr != nil {
		return fmt.Errorf("%w: %w", errDelete, closeErr)
	}
	return nil
}

// errDelete is wrapped when all was sent but the session could not be ended.
var errDelete = errors.New("the session was not ended")

// final reports whether trying again would be of no use.
func final(err error) bool {
	if errors.Is(err, client.ErrOptions) || errors.Is(err, errSample) || errors.Is(err, errDelete) {
		return true
	}
	var answer *client.ResponseError
	if !errors.As(err, &answer) {
		return false
	}
	switch answer.Status {
	case http.StatusRequestTimeout, http.StatusTooManyRequests:
		return false
	}
	// 409 as well: another publisher holds the stream, and two that replace each other serve nobody.
	return answer.Status < 500
}

func retryAfter(err error) time.Duration {
	var answer *client.ResponseError
	if errors.As(err, &answer) {
		return answer.RetryAfter
	}
	return 0
}

// sleep reports whether d went by before ctx ended.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
