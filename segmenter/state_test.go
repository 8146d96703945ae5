package segmenter

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// shelf is a Store in memory; it survives its world.
type shelf struct {
	kept map[string][]byte
	err  error
}

func (s *shelf) Load(name string) ([]byte, error) { return s.kept[name], s.err }
func (s *shelf) Save(name string, b []byte) error {
	if s.err == nil {
		s.kept[name] = append([]byte(nil), b...)
	}
	return s.err
}
func (s *shelf) Delete(name string) error { delete(s.kept, name); return s.err }

// restart is a second process with the same store, some time later.
func (w *world) restart(after time.Duration) *world {
	next := newWorld(w.t, func(c *Config) { *c = w.cfg })
	next.base = w.base.Add(w.now + after)
	next.ch.base = next.base
	next.now = time.Millisecond
	return next
}

func TestARestartContinuesTheGeneration(t *testing.T) {
	units := loadUnits(t, "plain.h264")
	// Killed at many different moments: just before a cut, just after, in the middle.
	for _, lived := range []time.Duration{2500, 3010, 3040, 5040, 7777, 9100, 12345} {
		store := &shelf{kept: map[string][]byte{}}
		w := newWorld(t, func(c *Config) { c.Store = store })
		w.publish(units, 30, true)
		w.run(lived * time.Millisecond)
		names := map[string]bool{}
		for _, v := range w.views {
			for _, p := range v.parts {
				names[p.URI()] = true
			}
		}
		before := w.view(Video)

		w2 := w.restart(3 * time.Second)
		w2.publish(units, 30, true)
		w2.run(9 * time.Second)
		w2.judgeLegalFrom(before.last)
		require.Equal(t, w.gens[0].ID(), w2.gens[0].ID())
		after := w2.view(Video)
		for _, v := range w2.views {
			for _, p := range v.parts {
				require.False(t, names[p.URI()], "%s is used again", p.URI())
			}
			require.Contains(t, string(v.last.Playlist().Body), "#EXT-X-DISCONTINUITY\n")
		}
		require.Greater(t, after.last.Segments[0].MSN, before.last.Segments[len(before.last.Segments)-1].MSN)
		require.GreaterOrEqual(t, after.last.Discontinuity, before.last.Discontinuity)
		require.True(t, after.last.Segments[0].ProgramTime.After(before.last.Segments[len(before.last.Segments)-1].ProgramTime))
	}
}

// judgeLegalFrom checks a continued generation: numbers begin where the one before had ended.
func (w *world) judgeLegalFrom(before *Snapshot) {
	w.t.Helper()
	last := before.Segments[len(before.Segments)-1]
	for r, v := range w.views {
		require.NotEmpty(w.t, v.parts, r.name)
		require.GreaterOrEqual(w.t, v.parts[0].MSN, last.MSN)
		require.Greater(w.t, v.parts[0].Epoch, last.Epoch)
		v.samples(w.t)
	}
}

func TestStateThatIsOfNoUseBeginsAnew(t *testing.T) {
	units := loadUnits(t, "plain.h264")
	for name, bend := range map[string]func(w *world, s *shelf){
		"garbage":     func(w *world, s *shelf) { s.kept[""] = []byte("{") },
		"hostile":     func(w *world, s *shelf) { s.kept[""] = []byte(`{"generation":"../x","msn":-5,"video":true}`) },
		"empty":       func(w *world, s *shelf) { s.kept[""] = []byte(`{}`) },
		"unreadable":  func(w *world, s *shelf) { s.err = errors.New("disk gone") },
		"nothing":     func(w *world, s *shelf) { delete(s.kept, "") },
		"not video's": func(w *world, s *shelf) { units = nil },
		"other parts": func(w *world, s *shelf) { w.cfg.Part = 111 * time.Millisecond },
		"a target":    func(w *world, s *shelf) { w.cfg.MaxSegment = 3 * time.Second },
		"none of it":  func(w *world, s *shelf) { s.kept[""] = bytes.ReplaceAll(s.kept[""], []byte(`"part"`), []byte(`"old"`)) },
	} {
		units := units
		if name == "not video's" {
			units = nil
		}
		store := &shelf{kept: map[string][]byte{}}
		w := newWorld(t, func(c *Config) { c.Store = store })
		w.publish(loadUnits(t, "plain.h264"), 30, true)
		w.run(4 * time.Second)
		bend(w, store)
		w2 := w.restart(time.Second)
		w2.publish(units, 30, true)
		w2.run(6 * time.Second)
		w2.legal()
		require.NotEqual(t, w.gens[0].ID(), w2.gens[0].ID(), name)
	}
	store := &shelf{kept: map[string][]byte{}}
	w := newWorld(t, func(c *Config) { c.Store = store })
	w.publish(units, 30, true)
	w.run(4 * time.Second)
	w2 := w.restart(time.Hour)
	w2.publish(units, 30, true)
	w2.run(6 * time.Second)
	require.NotEqual(t, w.gens[0].ID(), w2.gens[0].ID(), "after an hour nobody waits")
}

func TestTheEndOfAGenerationForgetsItsState(t *testing.T) {
	store := &shelf{kept: map[string][]byte{}}
	w := newWorld(t, func(c *Config) { c.Store = store })
	s := w.publish(loadUnits(t, "plain.h264"), 30, true)
	w.run(4 * time.Second)
	require.NotEmpty(t, store.kept)
	s.stop()
	w.ch.detach(w.now, ReasonDeleted)
	w.run(9 * time.Second)
	require.True(t, w.gens[0].over())
	require.Empty(t, store.kept)
}

func FuzzState(f *testing.F) {
	f.Add([]byte(`{"generation":"abc","msn":5,"epoch":2,"video":true,"start":4000000000}`))
	f.Add([]byte(`{"generation":"abc","msn":9223372036854775807,"audio":true}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := decodeState(b)
		if err != nil {
			require.ErrorIs(t, err, errState)
			return
		}
		require.GreaterOrEqual(t, s.MSN+1, int64(1))
	})
}
