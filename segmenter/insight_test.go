package segmenter

import (
	"bytes"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestHistogram(t *testing.T) {
	h := newHistogram([]float64{1, 2})
	for _, x := range []float64{0.5, 1, 1.5, 2, 2.5} {
		h.observe(x)
	}
	c := h.copied()
	h.observe(7)
	require.Equal(t, []uint64{2, 2, 1}, c.Counts, "a bound belongs to what is below it")
	require.EqualValues(t, 5, c.Count())
	require.InDelta(t, 7.5, c.Sum, 1e-9)
}

// What an operator sees of one publisher: every event in order, and what the stream tells of its parts.
func TestEventsAndParts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var events []Event
		cfg := DefaultConfig()
		cfg.Observe = func(e Event) { events = append(events, e) }
		r := NewRegistry(cfg, quiet())
		p, err := r.Publish("a", PublisherConfig{Session: "one", UserAgent: "agent", Tracks: audioTrack})
		require.NoError(t, err)
		sing(p, 200)
		synctest.Wait()
		st := r.Lookup("a").Status()
		require.NotNil(t, st.Delay)
		require.Positive(t, st.Delay.Count())
		require.Zero(t, st.Delay.Sum, "with a clock that stands still while the server works")
		require.Equal(t, st.Audio.PartBytes.Count(), uint64(st.Parts))
		require.Equal(t, st.Audio.Units, st.Audio.Stereo)
		p.Close(ReasonICEFailed)
		<-p.Done()
		p, err = r.Publish("a", PublisherConfig{Session: "two", Tracks: audioTrack})
		require.NoError(t, err)
		sing(p, 200)
		session, err := r.End("a")
		require.NoError(t, err)
		require.Equal(t, "two", session)
		require.Equal(t, ReasonKicked, p.Reason())
		r.Close()
		var kinds []EventKind
		for _, e := range events {
			require.Equal(t, "a", e.Stream)
			kinds = append(kinds, e.Kind)
		}
		require.Equal(t, []EventKind{EventPublishing, EventLive, EventLeft, EventPublishing, EventResumed, EventLeft, EventEnded}, kinds)
		require.Equal(t, "agent", events[0].UserAgent)
		require.NotEmpty(t, events[1].Generation)
		require.Equal(t, events[1].Generation, events[6].Generation)
		require.Equal(t, []any{ReasonICEFailed, "one", ReasonKicked, "two"}, []any{events[2].Reason, events[2].Session, events[5].Reason, events[5].Session})
	})
}

func TestKick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewRegistry(DefaultConfig(), quiet())
		defer r.Close()
		join := func() (*Publisher, error) {
			return r.Publish("a", PublisherConfig{Session: "s", Tracks: audioTrack})
		}
		_, err := r.Kick("../a", time.Minute)
		require.ErrorIs(t, err, ErrName)
		_, err = r.End("a")
		require.ErrorIs(t, err, ErrNoStream)
		p, err := join()
		require.NoError(t, err)
		session, err := r.Kick("a", time.Minute)
		require.NoError(t, err)
		require.Equal(t, "s", session)
		<-p.Done()
		require.Equal(t, ReasonKicked, p.Reason())
		_, err = join()
		require.ErrorIs(t, err, ErrBlocked)
		until, blocked := r.Blocked("a")
		require.True(t, blocked)
		require.WithinDuration(t, time.Now().Add(time.Minute), until, 0)
		time.Sleep(time.Minute)
		p, err = join()
		require.NoError(t, err, "the time is over")
		_, err = r.Kick("a", 0)
		require.NoError(t, err)
		<-p.Done()
		_, err = join()
		require.NoError(t, err, "without a block the next may come at once")
		_, err = r.Kick("unknown", time.Minute)
		require.ErrorIs(t, err, ErrNoPublisher)
		_, err = r.Publish("unknown", PublisherConfig{Tracks: audioTrack})
		require.ErrorIs(t, err, ErrBlocked, "who is expected can be kept out beforehand")
		_, err = r.End("a")
		require.NoError(t, err)
		_, err = r.End("a")
		require.ErrorIs(t, err, ErrNoPublisher)
	})
}

// A packet that comes late and one that never comes are told apart.
func TestMissingAndLost(t *testing.T) {
	w := newWorld(t)
	s := w.publish(nil, 0, true)
	s.mic.pass = func(n int) bool { return n != 50 }
	s.mic.delay = func() time.Duration {
		if s.mic.n == 20 {
			return 50 * time.Millisecond
		}
		return 0
	}
	w.run(4 * time.Second)
	in := &s.pub.Track(Audio).in
	require.EqualValues(t, 1, in.lost)
	require.EqualValues(t, 1, in.reorder.reordered)
	require.GreaterOrEqual(t, in.reorder.missing, uint64(2))
}

// At debug level each loss and each cut is told, with why it came; at any other nothing is looked at.
func TestExplain(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	w := newWorld(t)
	w.tolerant = true
	w.ch.log = log
	x := newExplainer(log)
	w.ch.cfg.OnLoss = Freeze
	s := w.publish(loadUnits(t, "plain.h264"), 30, true)
	s.cam.obeys = true
	lost := 0
	s.cam.pass = func(n int, _ []byte) bool {
		if lost < 1 && w.now > 4*time.Second {
			lost++
			return false
		}
		return true
	}
	for w.now < 10*time.Second {
		w.run(w.now + 20*time.Millisecond)
		x.explain(w.ch)
	}
	for _, want := range []string{
		`msg="segment cut"`, "why=keyframe", `why="follows video"`, "packets=1", "waits_for_keyframe=true", "session=test", "track=video",
	} {
		require.Contains(t, out.String(), want)
	}
	require.False(t, newExplainer(quiet()).on)
}
