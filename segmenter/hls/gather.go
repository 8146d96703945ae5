package hls

import "context"

// Gatherer is a connection that can send the head of an answer together with what follows it. net/http writes them one
// after the other, which costs a system call and wakes the reader twice.
type Gatherer interface {
	// Hold keeps back the next small write until something follows it.
	Hold()
	// Release sends what is still kept back. An error shows in the next write.
	Release()
}

type gatherer struct{}

// WithGatherer returns a context for the requests of one HTTP/1 connection, as http.Server.ConnContext is to give it.
func WithGatherer(ctx context.Context, g Gatherer) context.Context {
	return context.WithValue(ctx, gatherer{}, g)
}
