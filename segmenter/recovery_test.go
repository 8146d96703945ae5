package segmenter

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// openGroups is a source without IDRs but its first: groups begin with an intra picture that has a recovery point, after
// which pictures come that are shown before it.
func openGroups(t *testing.T) []unit {
	units := loadUnits(t, "opengop.h264")
	shown := decodeOrderPTS(units)
	for i := range units {
		units[i].pts = shown[i]
	}
	return units
}

// withoutIDR is what a receiver hears that comes late.
func withoutIDR(t *testing.T) []unit {
	units := openGroups(t)[20:]
	for i := range units {
		units[i].pts -= 20
	}
	return units
}

func TestWithoutIDRThePublisherEndsWithAReason(t *testing.T) {
	w := newWorld(t)
	s := w.publish(withoutIDR(t), 30, true)
	w.run(18 * time.Second)
	require.Equal(t, ReasonNoRandomAccess, s.pub.Reason())
	require.Empty(t, w.gens)
}

func TestRecoveryPointsAreTakenWhereTheSettingSaysSo(t *testing.T) {
	for name, trouble := range map[string]func(w *world, s *studio){
		"from the middle": func(*world, *studio) {},
		"after a loss": func(w *world, s *studio) {
			s.cam.pass = func(n int, _ []byte) bool { return n != 120 && n != 400 }
		},
		"after a freeze": func(w *world, s *studio) {
			w.at(7*time.Second, func() { s.cam.hold = 3500 * time.Millisecond })
		},
		"after a return": func(w *world, s *studio) {
			w.at(7*time.Second, func() {
				s.stop()
				w.ch.detach(w.now, ReasonPeerClosed)
			})
			w.at(9*time.Second, func() { w.publish(withoutIDR(t), 30, true) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(c *Config) { c.RecoveryPoints = true })
			s := w.publish(withoutIDR(t), 30, true)
			trouble(w, s)
			w.run(20 * time.Second)
			w.legal()
			require.NotNil(t, w.ch.pub)
			require.Greater(t, len(w.view(Video).samples(t)), 300)
			wholeGroups(t, w, s.cam.units)
		})
	}
}

// wholeGroups checks that pictures come as they were sent, and that those which are shown before a recovery point are
// there exactly if what came before the point is.
func wholeGroups(t *testing.T, w *world, units []unit) {
	t.Helper()
	place := map[string]int{}
	for i, u := range units {
		place[string(u.avcc())] = i
	}
	before, point, joined, fresh := -1, 0, true, 0
	for n, got := range w.view(Video).samples(t) {
		i, known := place[string(got.Data)]
		require.True(t, known, "picture %d was sent", n)
		switch follows := i == (before+1)%len(units); {
		case got.Sync:
			point, joined = i, follows
			if !joined {
				fresh++
			}
		case joined:
			require.True(t, follows, "picture %d follows the one before", n)
		default:
			require.Greater(t, units[i].pts, units[point].pts, "picture %d depends on what is not there", n)
			joined = true // from here on none may be missing
		}
		before = i
	}
	require.Positive(t, fresh)
}
