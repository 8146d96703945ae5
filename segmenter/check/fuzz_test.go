package check

import (
	"testing"
	"time"

	"whipsaw/segmenter/playlist"
)

// Whatever servers send, in whatever order: nothing of it ends the program.
func FuzzChecker(f *testing.F) {
	v := videoWorld(f)
	one, two := v.version(30), v.version(48)
	delta, _ := two.Delta()
	index := goodMultivariant(1e6)
	for _, second := range []*playlist.MediaPlaylist{&two, &delta, &one} {
		f.Add(one.Append(nil), second.Append(nil), v.files["init-0.mp4"], v.files["part-1-0.m4s"], index.Append(nil))
	}
	f.Fuzz(func(t *testing.T, first, second, init, media, index []byte) {
		for _, profile := range []Profile{General, Strict} {
			a, b := NewFor(profile), NewFor(profile)
			for i, body := range [][]byte{first, second, first} {
				at := worldStart.Add(time.Duration(i) * time.Second)
				a.Playlist(at, body)
				b.Playlist(at, second)
				a.Reload(int64(i), int64(i))
				for n, uri := range a.Wanted() {
					if n < 20 {
						a.Bytes(uri, [][]byte{init, media}[min(n, 1)])
					}
				}
			}
			Agree(a, b)
			Reports(a, map[string]*Checker{"b": b, "../audio/media.m3u8": b})
			a.Delta(first, second, second)
			NewIndex(profile).Playlist(index, map[string]*Checker{"v.m3u8": a, "a.m3u8": b})
			a.Facts()
		}
	})
}
