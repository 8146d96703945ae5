package bench

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"whipsaw/cmd/whipsaw/internal/bench/fleet"
	"whipsaw/cmd/whipsaw/internal/bench/wire"
	"whipsaw/segmenter/playlist"
)

// BenchmarkAnswer fetches what is there already from the whole server, over one connection on loopback: all that one answer
// costs, but for being woken. Of the allocations none are the client's.
func BenchmarkAnswer(b *testing.B) {
	_, factory := onAir(b)
	for _, name := range []string{"playlist", "delta", "part"} {
		b.Run(name, func(b *testing.B) {
			client := factory.New()
			defer client.Close()
			list := "/hls/b/" + variant(b, client)
			target := map[string]string{"playlist": list, "delta": list + "?_HLS_skip=YES", "part": newest(b, client, list)}[name]
			var size int64
			b.ReportAllocs()
			for b.Loop() {
				answer, err := client.Start(context.Background(), target, nil).Wait()
				if err != nil || answer.Status != 200 {
					b.Fatal(answer.Status, err)
				}
				size = answer.Size
			}
			b.SetBytes(size)
		})
	}
}

// onAir is a whole server with the stream b, which plays, and what makes clients of it.
func onAir(b *testing.B) (*url.URL, *wire.Factory) {
	b.Helper()
	at := serve(b)
	c, err := OpenClip("")
	require.NoError(b, err)
	f, err := fleet.Launch(b.Context(), fleet.Options{URL: at + "/whip/b", Count: 1, Clip: c})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, f.Close()) })
	r := &runner{opts: Options{HLS: at + "/hls/b/index.m3u8", Publishers: 1, HTTP: wire.HTTP1}, fleet: f}
	r.crowd, err = r.audience()
	require.NoError(b, err)
	_, err = r.playable(b.Context())
	require.NoError(b, err)
	r.crowd.Close()

	u, err := url.Parse(at)
	require.NoError(b, err)
	factory, err := wire.NewFactory(u, wire.Options{Version: wire.HTTP1, Timeout: patience, UserAgent: "benchmark"})
	require.NoError(b, err)
	return u, factory
}

func unzip(r wire.Reply) ([]byte, error) {
	if !r.Gzip {
		return r.Body, nil
	}
	z, err := gzip.NewReader(bytes.NewReader(r.Body))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

func variant(b *testing.B, client wire.Client) string {
	b.Helper()
	answer, err := client.Start(b.Context(), "/hls/b/index.m3u8", []byte{}).Wait()
	require.NoError(b, err)
	text, err := unzip(answer)
	require.NoError(b, err)
	p, err := playlist.ParseMultivariant(text)
	require.NoError(b, err)
	return p.StreamInfs[0].URI
}

func newest(b *testing.B, client wire.Client, list string) string {
	b.Helper()
	answer, err := client.Start(b.Context(), list, []byte{}).Wait()
	require.NoError(b, err)
	text, err := unzip(answer)
	require.NoError(b, err)
	p, err := playlist.ParseMedia(text)
	require.NoError(b, err)
	last := p.Segments[len(p.Segments)-1]
	return list[:strings.LastIndexByte(list, '/')+1] + last.Parts[len(last.Parts)-1].URI
}
