package check

import (
	"errors"
	"fmt"

	"whipsaw/segmenter/playlist"
)

// Violation is one rule broken once.
type Violation struct {
	Rule   Rule
	Detail string // what was seen, with numbers and names
}

func (v Violation) String() string { return v.Rule.String() + ": " + v.Detail }

// Profile says which rules are asked for.
type Profile uint8

// The profiles.
const (
	Strict  Profile = iota // all: what this project's own output is held to
	General                // what any server has to keep: all but the rules of the house
)

// asks reports whether a rule belongs to the profile.
func (p Profile) asks(r Rule) bool { return p == Strict || r.Level() != House }

// Row is what became of one rule.
type Row struct {
	Seen   int    // how often there was something to hold against it
	Broken int    // how many different violations there were
	First  string // detail of the first
}

// Tally counts what was held against each rule.
type Tally [ruleCount]Row

// Add takes in what another counted.
func (t *Tally) Add(o *Tally) {
	for r := range t {
		if t[r].Broken == 0 {
			t[r].First = o[r].First
		}
		t[r].Seen += o[r].Seen
		t[r].Broken += o[r].Broken
	}
}

// ledger is the memory of a checker: its profile, what it has counted and what it has reported.
type ledger struct {
	profile  Profile
	tally    Tally
	reported map[Violation]bool
}

// maxReported bounds the memory of violations: behind it each is counted, and reported again.
const maxReported = 10_000

func newLedger(p Profile) ledger { return ledger{profile: p, reported: map[Violation]bool{}} }

// Tally returns what has been counted so far.
func (l *ledger) Tally() Tally { return l.tally }

// unsupported reports whether an error means legal text that is not read here; this project's own output has none.
func (l *ledger) unsupported(err error) bool {
	return l.profile == General && errors.Is(err, playlist.ErrUnsupported)
}

// open begins to collect findings.
func (l *ledger) open() *findings { return &findings{ledger: l} }

// findings collects the violations of one call.
type findings struct {
	*ledger
	list []Violation
}

// saw notes that there is something to hold against a rule.
func (f *findings) saw(r Rule) {
	if f.profile.asks(r) {
		f.tally[r].Seen++
	}
}

// add notes that a rule is broken.
func (f *findings) add(r Rule, format string, args ...any) {
	if !f.profile.asks(r) {
		return
	}
	v := Violation{r, fmt.Sprintf(format, args...)}
	if f.reported[v] {
		return
	}
	if len(f.reported) < maxReported {
		f.reported[v] = true
	}
	row := &f.tally[r]
	if row.Broken == 0 {
		row.First = v.Detail
	}
	row.Broken++
	f.list = append(f.list, v)
}
