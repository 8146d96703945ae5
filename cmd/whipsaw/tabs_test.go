package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Browsers have six connections to a host that speaks HTTP/1.1, for all their tabs: three watch pages get by with them.
func TestBrowserThreeTabs(t *testing.T) {
	const tabs = 3
	realTime(t, loadStream+tabs*loadPage)
	s := serve(t)
	s.film(t, "live", largeFootage(t))
	s.multivariant("live")
	b := startBrowser(t)
	var viewers []*viewer
	for range tabs {
		viewers = append(viewers, b.watch(s.URL()+"/watch/live"))
	}
	for _, v := range viewers {
		v.forget()
	}
	for _, v := range viewers {
		v.goesOn("beside others", 6)
		w := v.unharmed()
		require.Less(t, w.Still, 1.0, "no tab waits for another one")
		require.Empty(t, w.Jumps)
		require.Equal(t, []string{"http/1.1"}, evaluate[[]string](v.tab,
			`[...new Set(performance.getEntriesByType('resource').filter(e => e.name.includes('/hls/') && e.nextHopProtocol).map(e => e.nextHopProtocol))]`))
	}
}
