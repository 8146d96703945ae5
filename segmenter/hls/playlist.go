package hls

import (
	"net/http"

	"whipsaw/segmenter"
)

// mediaPlaylist answers for media.m3u8, with or without directives.
func mediaPlaylist(r *http.Request, rendition *segmenter.Rendition) (content, error) {
	snapshot, skip := rendition.Snapshot(), false
	caching := cachingOf(snapshot.TargetDuration())
	cache := caching.polled
	// 6.2.5.1, 6.2.5.2: directives are ignored once EXT-X-ENDLIST is there.
	if !snapshot.Ended {
		d, err := parseDirectives(r.URL.RawQuery)
		if err != nil {
			return content{}, err
		}
		if d.blocks() {
			if snapshot, err = blockingReload(r, rendition, snapshot, d); err != nil {
				return content{}, err
			}
			cache = caching.blocking
		}
		skip = d.skip
	}
	if snapshot.Ended {
		cache = endedCache
	}
	if len(snapshot.Segments) <= snapshot.First {
		return content{}, errUnknown
	}
	if skip {
		return playlistContent(r, snapshot.Delta(), cache), nil
	}
	return playlistContent(r, snapshot.Playlist(), cache), nil
}

// blockingReload returns the first version that is what d waits for. An old one is there at once, and then the whole
// present playlist is the answer, though the segment may have left it (6.2.5.2).
func blockingReload(r *http.Request, rendition *segmenter.Rendition, present *segmenter.Snapshot, d directives) (*segmenter.Snapshot, error) {
	if err := d.check(edgeOf(present), advanceLimit(present.PartTarget())); err != nil {
		return nil, err
	}
	if d.satisfies(edgeOf(present)) {
		return present, nil
	}
	// 6.2.5.2: never an older version than was asked for: what does not come in time is an error.
	return wait(r.Context(), rendition, func(now *segmenter.Snapshot) bool { return d.satisfies(edgeOf(now)) })
}
