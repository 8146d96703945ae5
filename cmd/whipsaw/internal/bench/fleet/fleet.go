// Package fleet publishes one clip many times over WHIP, with marks in every frame, at as little cost as encrypting each
// packet for each publisher allows.
package fleet

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"whipsaw/cmd/whipsaw/internal/bench/clip"
	"whipsaw/cmd/whipsaw/internal/bench/mark"
	"whipsaw/signaling/client"
)

// Options say what to publish and where.
type Options struct {
	URL       string // of the WHIP endpoints: {n} stands for the publisher's number, from 1
	Count     int
	Token     string
	UserAgent string
	Insecure  bool // any certificate will do
	Clip      *clip.Clip
}

// Fleet is a number of publishers that are connected and send. Its methods are safe for any goroutine.
type Fleet struct {
	ships  []*ship
	cancel context.CancelFunc
	work   sync.WaitGroup
	client *http.Client
}

// counters are of all ships together.
type counters struct {
	packets, bytes, frames atomic.Int64
	late, keyframes        atomic.Int64
}

// Counts is what a fleet has sent up to now.
type Counts struct {
	Packets   int64 `json:"packets"`
	Bytes     int64 `json:"bytes"`  // of RTP payloads
	Frames    int64 `json:"frames"` // of video
	Late      int64 `json:"late"`   // frames sent over 20 ms after they were due: the bench has too little CPU
	Keyframes int64 `json:"keyframe_requests"`
}

// connecting is how many sessions are negotiated at a time.
const connecting = 4

// Address fills a template: {n} becomes the number.
func Address(template string, n int) string {
	return strings.ReplaceAll(template, "{n}", strconv.Itoa(n))
}

// Launch connects all publishers and lets them send. ctx bounds the connecting alone; an error of one ends them all.
func Launch(ctx context.Context, o Options) (*Fleet, error) {
	running, cancel := context.WithCancel(context.Background())
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: o.Insecure} // only where the user says so
	f := &Fleet{cancel: cancel, client: &http.Client{Transport: transport, Timeout: 15 * time.Second}}
	var failed error
	var once sync.Once
	places := make(chan struct{}, connecting)
	var negotiating sync.WaitGroup
	ctx, giveUp := context.WithCancel(ctx)
	defer giveUp()
	for n := range o.Count {
		f.ships = append(f.ships, newShip(o.Clip, uint32(n), time.Duration(n)*stagger(o)))
	}
	for n, s := range f.ships {
		places <- struct{}{}
		negotiating.Go(func() {
			defer func() { <-places }()
			session, err := client.Publish(ctx, f.options(o, n+1))
			if err != nil {
				once.Do(func() {
					failed = fmt.Errorf("publisher %d: %w", n+1, err)
					giveUp()
				})
				return
			}
			s.session = session
			f.work.Go(func() { s.sail(running) })
		})
	}
	negotiating.Wait()
	if failed != nil {
		return nil, errors.Join(failed, f.Close())
	}
	return f, nil
}

// stagger spreads the publishers over the time between two frames, so that they do not all send at the same moment.
func stagger(o Options) time.Duration {
	rate := o.Clip.FrameRate()
	if rate == 0 {
		rate = 50
	}
	return time.Duration(float64(time.Second) / rate / float64(o.Count))
}

func (f *Fleet) options(o Options, n int) client.Options {
	c := client.Options{URL: Address(o.URL, n), Token: o.Token, UserAgent: o.UserAgent, HTTPClient: f.client}
	if o.Clip.Video != nil {
		c.Video = &client.VideoOptions{SPS: o.Clip.SPS, PPS: o.Clip.PPS}
	}
	if o.Clip.Audio != nil {
		c.Audio = &client.AudioOptions{Mono: o.Clip.Mono}
	}
	return c
}

// Counts tells what all publishers have sent.
func (f *Fleet) Counts() Counts {
	var c Counts
	for _, s := range f.ships {
		c.Packets += s.packets.Load()
		c.Bytes += s.bytes.Load()
		c.Frames += s.frames.Load()
		c.Late += s.late.Load()
		c.Keyframes += s.keyframes.Load()
	}
	return c
}

// Since is what was sent since an earlier count.
func (c Counts) Since(e Counts) Counts {
	return Counts{
		Packets: c.Packets - e.Packets, Bytes: c.Bytes - e.Bytes, Frames: c.Frames - e.Frames,
		Late: c.Late - e.Late, Keyframes: c.Keyframes - e.Keyframes,
	}
}

// Lost tells how many publishers the server or the network has ended, and why the first of them was.
func (f *Fleet) Lost() (n int, err error) {
	for _, s := range f.ships {
		if e := s.ended(); e != nil {
			n++
			err = errors.Join(err, e)
		}
	}
	return n, err
}

// Sent tells when the last packet of a marked frame was sent; false if the frame is none of ours, or long gone.
func (f *Fleet) Sent(m mark.Mark) (time.Time, bool) {
	if m.Publisher >= uint32(len(f.ships)) {
		return time.Time{}, false
	}
	return f.ships[m.Publisher].sent(m)
}

// FirstFrame is when the first packet of the first frame of publisher 1 was sent; false before that.
func (f *Fleet) FirstFrame() (time.Time, bool) {
	ns := f.ships[0].began.Load()
	return time.Unix(0, ns), ns != math.MinInt64
}

// Close ends all sessions with DELETE, and returns when nothing of them runs any more.
func (f *Fleet) Close() error {
	f.cancel()
	f.work.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	errs := make([]error, len(f.ships))
	var closing sync.WaitGroup
	for i, s := range f.ships {
		if s.session == nil {
			continue
		}
		closing.Go(func() { errs[i] = s.session.Close(ctx) })
	}
	closing.Wait()
	f.client.CloseIdleConnections()
	return errors.Join(errs...)
}
