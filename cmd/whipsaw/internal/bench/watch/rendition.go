package watch

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"whipsaw/cmd/whipsaw/internal/bench/wire"
)

// rendition is one playlist that a viewer follows, as draft-pantos-hls-rfc8216bis-22 6.3 has it: always one request for
// the playlist is under way, which the server holds back until there is something new, and what is new is fetched meanwhile.
type rendition struct {
	viewer *viewer
	client wire.Client
	at     *url.URL
	ledger *ledger
	tell   chan<- []report // nil, or where the first playlist's reports go
	learn  <-chan []report // nil, or where they come from

	pending wire.Pending // the request for the next version
	hinted  under        // the request for the part that was hinted, if there is one
	buffer  buffer
	init    string // EXT-X-MAP of what was fetched last
	lists   []byte // body of a playlist
}

// play follows the playlist until something goes wrong.
func (r *rendition) play(ctx context.Context) error {
	r.lists = make([]byte, 0, 4096)
	v, err := r.first(ctx)
	if err != nil {
		return err
	}
	if err := r.prefill(ctx, v); err != nil {
		return err
	}
	r.ask(ctx, v)
	for !v.ended {
		if v, err = r.follow(ctx, v); err != nil {
			return err
		}
	}
	return failing("playlist", errEnded)
}

var (
	errEnded = errors.New("the stream has ended")
	errStale = errors.New("the answer is older than what was asked for")
)

// first fetches the playlist as it is; or, where a rendition report of another playlist tells of this one, a version that
// is no older than that (6.3.8).
func (r *rendition) first(ctx context.Context) (*version, error) {
	target := r.at.RequestURI()
	if r.learn != nil {
		select {
		case reports := <-r.learn:
			for _, told := range reports {
				if told.name == r.at.Path && told.msn >= 0 && told.part >= 0 {
					target = r.reload(told.place, false)
				}
			}
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	v, _, err := r.list(r.client.Start(ctx, target, r.lists))
	if err == nil && r.tell != nil {
		r.tell <- v.reports
	}
	return v, err
}

// reload is the target of a blocking reload (6.2.5.2), as a delta update (6.2.5.1) if the server makes them.
func (r *rendition) reload(p place, delta bool) string {
	b := append(make([]byte, 0, 160), r.at.EscapedPath()...)
	b = append(b, '?')
	if r.at.RawQuery != "" {
		b = append(append(b, r.at.RawQuery...), '&')
	}
	b = strconv.AppendInt(append(b, "_HLS_msn="...), p.msn, 10)
	b = strconv.AppendInt(append(b, "&_HLS_part="...), int64(p.part), 10)
	if delta {
		b = append(b, "&_HLS_skip=YES"...)
	}
	return string(b)
}

// list waits for a playlist.
func (r *rendition) list(p wire.Pending) (*version, time.Time, error) {
	answer, err := p.Wait()
	if err != nil {
		return nil, time.Time{}, failing("playlist", err)
	}
	r.lists = answer.Body
	r.viewer.audience.answered(&answer)
	r.viewer.audience.playlists.Add(1)
	if answer.Status != 200 {
		return nil, time.Time{}, failing("playlist", status(answer.Status))
	}
	v, err := r.ledger.version(answer.Body, answer.Gzip, r.at, r.viewer.secret)
	return v, answer.Last, failing("playlist", err)
}

// prefill fetches what a player fetches before it begins: from an independent part that is PART-HOLD-BACK or more from the
// end (6.3.3). How long that takes is not measured.
func (r *rendition) prefill(ctx context.Context, v *version) error {
	hold := v.control.PartHoldBack
	if hold == 0 {
		hold = 3 * v.target
	}
	begin, filled := len(v.parts), time.Duration(0)
	for begin > 0 && (filled < hold || !v.parts[begin].independent) {
		begin--
		filled += v.parts[begin].duration
	}
	for i := range v.parts[begin:] {
		m := &v.parts[begin+i]
		if m.gap {
			continue
		}
		if err := r.header(ctx, m); err != nil {
			return err
		}
		answer, err := r.media(r.client.Start(ctx, r.viewer.revealed(m.target), nil))
		if err != nil || answer.Status != 200 {
			return failing("part", orStatus(err, answer.Status))
		}
	}
	r.buffer.start(time.Now(), filled)
	return nil
}

// header fetches the init segment of a part, unless it is the one of the part before.
func (r *rendition) header(ctx context.Context, m *media) error {
	if m.init == "" || m.init == r.init { // a delta update leaves the tag out with the segments that it skips
		return nil
	}
	r.init = m.init
	answer, err := r.media(r.client.Start(ctx, r.viewer.revealed(m.init), nil))
	if err != nil || answer.Status != 200 {
		return failing("init segment", orStatus(err, answer.Status))
	}
	return nil
}

// waits reports whether the viewer fetches those parts alone that nobody else has asked for.
func (r *rendition) waits() bool { return r.viewer.audience.opts.Waiters }

func (r *rendition) media(p wire.Pending) (wire.Reply, error) {
	answer, err := p.Wait()
	if err == nil {
		r.viewer.audience.answered(&answer)
	}
	return answer, err
}

func orStatus(err error, code int) error {
	if err != nil {
		return err
	}
	return status(code)
}

// under is a request for a part that is under way.
type under struct {
	wire.Pending
	name string // of the part
	look bool   // its body is kept, to be looked into
}

// fetch asks for a part. The first viewer to ask for it is the one who looks into it.
func (r *rendition) fetch(ctx context.Context, target string) under {
	name, _, _ := strings.Cut(target, "?")
	u := under{name: name, look: r.waits() || r.ledger.claim(name)}
	var buf []byte
	if u.look {
		buf = make([]byte, 0, 64<<10)
	}
	u.Pending = r.client.Start(ctx, r.viewer.revealed(target), buf)
	return u
}

// follow waits for the next version of the playlist, asks for the one after it at once, and fetches what is new.
func (r *rendition) follow(ctx context.Context, old *version) (*version, error) {
	v, at, err := r.list(r.pending)
	if err != nil {
		return nil, err
	}
	if newest, ok := v.newest(); ok && !newest.before(old.next) {
		r.ledger.listed(newest.name, at)
	} else if !v.ended { // 6.2.5.2: never an older version than was asked for
		return nil, failing("playlist", fmt.Errorf("%w: part %d of segment %d", errStale, old.next.part, old.next.msn))
	}
	hinted := r.hinted
	r.ask(ctx, v)
	fresh := v.from(old.next)
	for i := range fresh {
		if err := r.take(ctx, &fresh[i], &hinted); err != nil {
			return nil, err
		}
	}
	if hinted.Pending != nil { // another part came than was hinted: an answer without meaning, but an answer
		if _, err := r.media(hinted.Pending); err != nil {
			return nil, failing("part", err)
		}
	}
	return v, nil
}

// ask sends the requests that the server holds back until there is something new.
func (r *rendition) ask(ctx context.Context, v *version) {
	r.hinted = under{}
	if v.ended {
		return
	}
	r.pending = r.client.Start(ctx, r.reload(v.next, v.control.CanSkipUntil > 0), r.lists)
	if r.viewer.audience.opts.Hints && v.hint != "" {
		r.hinted = r.fetch(ctx, v.hint)
	}
}

// take fetches a part, or takes the answer to the request for it that was sent when it was hinted.
func (r *rendition) take(ctx context.Context, m *media, hinted *under) error {
	if m.gap || r.waits() && !r.ledger.claim(m.name) {
		return nil
	}
	if err := r.header(ctx, m); err != nil {
		return err
	}
	u := *hinted
	if u.Pending != nil && u.name == m.name {
		*hinted = under{}
	} else {
		u = r.fetch(ctx, m.target)
	}
	answer, err := r.media(u.Pending)
	if err != nil || answer.Status != 200 {
		return failing("part", orStatus(err, answer.Status))
	}
	r.ledger.came(m.name, answer.Last, answer.Body)
	r.viewer.audience.parts.Add(1)
	if stalled := r.buffer.add(answer.Last, m.duration); stalled > 0 && !r.waits() {
		r.viewer.audience.stalled(stalled)
	}
	return nil
}
