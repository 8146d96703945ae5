package api

import (
	"net/netip"
	"sync"

	"golang.org/x/time/rate"

	"whipsaw/signaling"
)

const (
	guessRate  = 2    // wrong tokens a second from one address in the long run
	guessBurst = 30   // at once
	maxGuesser = 4096 // addresses that are remembered
)

// guesses counts wrong tokens per address, so that nobody finds one by trying. Right ones are not counted.
type guesses struct {
	mu     sync.Mutex
	byAddr map[netip.Prefix]*rate.Limiter
}

func newGuesses() *guesses { return &guesses{byAddr: make(map[netip.Prefix]*rate.Limiter)} }

// left reports whether another try is allowed.
func (g *guesses) left(from netip.Addr) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	l := g.byAddr[signaling.Subscriber(from)]
	return l == nil || l.Tokens() >= 1
}

// wrong counts one. When many addresses are remembered, any one of them is forgotten.
func (g *guesses) wrong(from netip.Addr) {
	g.mu.Lock()
	defer g.mu.Unlock()
	at := signaling.Subscriber(from)
	if g.byAddr[at] == nil {
		for old := range g.byAddr {
			if len(g.byAddr) < maxGuesser {
				break
			}
			delete(g.byAddr, old)
		}
		g.byAddr[at] = rate.NewLimiter(guessRate, guessBurst)
	}
	g.byAddr[at].Allow()
}
