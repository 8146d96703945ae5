package hls

import "strconv"

var (
	noStore = fixed{"no-store"}
	// forever is for media: its URIs are never used again, so nothing is ever to be asked for twice.
	forever = fixed{"public, max-age=31536000, immutable"}
	// The stable URL moves to a new generation when the next publisher comes: a second folds a crowd of viewers into one
	// request and hardly delays the move.
	multivariantCache = maxAge(1)
	// Nothing will follow in an ended playlist, but its segments will go.
	endedCache = maxAge(60)
)

// caching holds the Cache-Control values that follow from the target duration (rfc8216bis, Appendix B.1).
type caching struct {
	polled   fixed // media playlist without directives
	blocking fixed // media playlist that was waited for
	expired  fixed
}

// maxTarget is the largest target duration that there can be, in seconds.
const maxTarget = 30

// cachings are ready for every target duration, so that no request has to make one.
var cachings = func() (all [maxTarget + 1]caching) {
	for target := range all {
		all[target] = newCaching(target)
	}
	return all
}()

// cachingOf is what follows from a target duration.
func cachingOf(targetDuration int) *caching { return &cachings[min(max(targetDuration, 0), maxTarget)] }

func newCaching(targetDuration int) caching {
	return caching{
		// Half a target duration, and not longer where that is no whole number of seconds.
		polled: maxAge(targetDuration / 2),
		// A URL with directives names one version of the playlist: shared caches fold all viewers into one request. A
		// viewer's own cache is to ask: video.js repeats the request until the answer is another, for as long as it is kept.
		blocking: fixed{"public, max-age=0, s-maxage=" + strconv.Itoa(6*targetDuration)},
		expired:  maxAge(targetDuration),
	}
}

func maxAge(seconds int) fixed { return fixed{"public, max-age=" + strconv.Itoa(seconds)} }
