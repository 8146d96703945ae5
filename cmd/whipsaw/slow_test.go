package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A shared screen that changes once a second plays as all else does: time goes on evenly, with sound.
func TestBrowserSlowScreen(t *testing.T) {
	realTime(t, loadStream+loadPage)
	s := serve(t)
	s.filmWith("live", &camera{t: t, sees: largeFootage(t), each: time.Second})
	s.multivariant("live")
	v := startBrowser(t).watchSlow(s.URL()+"/watch/live", 0.9)
	v.goesOn("until it has found its distance to the edge", 5)
	v.forget()
	before := v.tell()
	w := v.goesOn("with a picture a second", 8)
	t.Logf("%d pictures in %.1f s, stood still for %.2f s", w.Drawn, w.Passed, w.Still)
	v.unharmed()
	require.Empty(t, w.Holes)
	require.Empty(t, w.Jumps)
	require.Equal(t, before.Stalls, w.Stalls, "no stall once it plays")
}
