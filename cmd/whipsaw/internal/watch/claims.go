package watch

import (
	"strings"
	"time"

	"whipsaw/segmenter/check"
	"whipsaw/segmenter/playlist"
)

// stamp is where a version ended, and between which moments the server made it.
type stamp struct {
	sent, received time.Time
	edge           check.Edge
}

// claim is what a version of one rendition said of another: made between two moments, to be judged by where the other
// ended before and after them. So neither the network nor this machine has to be in time.
type claim struct {
	of       *follower
	report   playlist.RenditionReport
	before   check.Edge
	received time.Time
}

const (
	maxHistory = 32
	maxClaims  = 256
)

// stamped keeps where a version ended, and judges claims of others that waited for it. Held is the session's lock.
func (f *follower) stamped(a *answer, edge check.Edge) {
	f.history = append(f.history, stamp{a.sent, a.received, edge})
	if len(f.history) > maxHistory {
		f.history = f.history[1:]
	}
	for _, other := range f.s.renditions {
		other.judge(f, a.sent, edge)
	}
	if a.header.Get("Age") == "" || a.header.Get("Age") == "0" { // a cache's copy is older than the request
		f.claims(a)
	}
}

// judge holds what f claimed of another against where that one ended after the claim was made.
func (f *follower) judge(of *follower, sent time.Time, edge check.Edge) {
	kept := f.pending[:0]
	for _, c := range f.pending {
		switch {
		case c.of != of || sent.Before(c.received):
			kept = append(kept, c)
		default:
			check.ReportBetween(f.check, c.report, of.check, c.before, edge)
		}
	}
	f.pending = kept
}

// claims takes in the rendition reports of a version.
func (f *follower) claims(a *answer) {
	others := map[string]*check.Checker{}
	claimed := map[*follower]bool{f: true}
	for _, r := range f.newest.RenditionReports {
		of := f.reported(r.URI)
		if of == nil || of == f {
			continue
		}
		claimed[of], others[r.URI] = true, of.check
		if before, ok := of.endedBefore(a.sent); ok && len(f.pending) < maxClaims {
			f.pending = append(f.pending, claim{of, r, before, a.received})
		}
	}
	for _, of := range f.s.renditions {
		if !claimed[of] {
			others[of.name()] = of.check
		}
	}
	check.Reported(f.check, others)
}

// reported is the follower of the playlist that a report names, nil if nobody follows it.
func (f *follower) reported(uri string) *follower {
	at, err := f.base.Parse(uri)
	if err != nil {
		return nil
	}
	for _, of := range f.s.renditions {
		// A report may leave out the query that lets a player in.
		if of.url.Host == at.Host && strings.TrimSuffix(of.url.Path, "/") == strings.TrimSuffix(at.Path, "/") {
			return of
		}
	}
	return nil
}

// endedBefore is where the playlist ended for certain at a moment.
func (f *follower) endedBefore(at time.Time) (check.Edge, bool) {
	for i := len(f.history) - 1; i >= 0; i-- {
		if !f.history[i].received.After(at) {
			return f.history[i].edge, true
		}
	}
	return check.Edge{}, false
}
