package hls

import "strconv"

var (
	noStore = fixed{"no-store"}
	// forever is for media: its URIs are never used again, so nothing is ever to be asked for twice.
	forever = fixed{"public, max-age=31536000, immutable"}
)

// caching holds the Cache-Control values that follow from the target duration (rfc8216bis, Appendix B.1).
type caching struct {
	multivariant fixed
	polled       fixed // media playlist without directives
	blocking     fixed // media playlist that was waited for
	ended        fixed
	expired      fixed
}

func newCaching(targetDuration int) caching {
	return caching{
		// The stable URL moves to a new generation when the next publisher comes: a second folds a crowd of viewers into one
		// request and hardly delays the move.
		multivariant: maxAge(1),
		// Half a target duration, and not longer where that is no whole number of seconds.
		polled: maxAge(targetDuration / 2),
		// A URL with directives names one version of the playlist.
		blocking: maxAge(6 * targetDuration),
		// Nothing will follow, but its segments will go.
		ended:   maxAge(60),
		expired: maxAge(targetDuration),
	}
}

func maxAge(seconds int) fixed { return fixed{"public, max-age=" + strconv.Itoa(seconds)} }
