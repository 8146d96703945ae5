package main

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whipsaw/cmd/whipsaw/internal/demo"
	"whipsaw/cmd/whipsaw/internal/publish"
	"whipsaw/cmd/whipsaw/internal/watch"
	"whipsaw/fmp4"
)

// What comes out of a real server is held to every rule that whipsaw check knows, with sound and picture, with either
// alone, and across a publisher that comes back with pictures of another size.
func TestConformance(t *testing.T) {
	realTime(t, 4*loadStream)
	s := serve(t)
	clip, err := fmp4.Open(demo.Clip())
	require.NoError(t, err)
	picture, sound := clip.Tracks[0], clip.Tracks[1]
	if picture.Name == "Opus" {
		picture, sound = sound, picture
	}
	_, stop := s.publish("returns", true)
	s.publish("both", true)
	s.send("picture", fragmented(t, picture))
	s.send("sound", fragmented(t, sound))
	s.playable("returns")
	defer time.AfterFunc(2*time.Second, func() {
		stop() // with DELETE, after which viewers are kept for three seconds
		s.send("returns", annexB(t, "../../segmenter/testdata/other.h264"))
	}).Stop()
	reports := s.watchAll(map[string]time.Duration{"both": 5 * time.Second, "picture": 5 * time.Second, "sound": 5 * time.Second, "returns": 7 * time.Second})

	require.Equal(t, []string{"avc1.42c01e", "Opus"}, codecs(reports["both"]))
	require.Equal(t, []string{"avc1.42c01e"}, codecs(reports["picture"]))
	require.Equal(t, []string{"Opus"}, codecs(reports["sound"]))
	for _, r := range reports["returns"].Renditions {
		require.Equal(t, 1, r.Discontinuities, "in %s", r.URI)
	}
	require.NotEqual(t, 640, reports["returns"].Renditions[0].Width, "the size is another one")
	require.Equal(t, watch.Held, verdictOn(reports["returns"], "rendition-discontinuities"))
	require.Equal(t, watch.Held, verdictOn(reports["both"], "rendition-report-true"))
}

// Over TLS players get HTTP/2, and all rules are kept there too.
func TestConformanceOverHTTP2(t *testing.T) {
	realTime(t, loadStream)
	s := serve(t, "--tls-self-signed", "--demo", "--cors-origin=https://player.example", "--video-only-variant")
	o := watch.Options{URL: s.URL() + "/hls/demo/index.m3u8", For: 3 * time.Second, Strict: true, Insecure: true, UserAgent: "test"}
	var report *watch.Report
	eventually(t, "the demo can be played", func() bool {
		var err error
		report, err = watch.Run(t.Context(), o)
		return err == nil
	})
	var told strings.Builder
	require.NoError(t, report.WriteText(&told))
	require.Equal(t, watch.Held, report.Verdict, told.String())
	require.Equal(t, "HTTP/2.0", report.Protocol)
	for _, rule := range []string{"http2", "cors", "gzip", "bandwidth", "old-reload", "bad-directives", "hint-answer"} {
		require.Equal(t, watch.Held, verdictOn(report, rule), rule)
	}
	require.Len(t, report.Renditions, 2, "the variant without sound has no playlist of its own")
}

// send publishes a file in a loop, until the test ends.
func (s *instance) send(stream string, file []byte) {
	m, err := publish.Open(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		s.t.Errorf("%s: %v", stream, err)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	s.t.Cleanup(func() {
		cancel()
		<-done
	})
	go func() {
		defer close(done)
		err := publish.Run(ctx, m, publish.Options{
			URL: s.URL() + "/whip/" + stream, Loop: true, Reconnect: patience, UserAgent: "test", Log: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			s.t.Errorf("publishing %s: %v", stream, err)
		}
	}()
}

// playable waits until a stream can be watched, and returns where.
func (s *instance) playable(stream string) (index string) {
	s.t.Helper()
	index = s.URL() + "/hls/" + stream + "/index.m3u8"
	eventually(s.t, stream+" can be played", func() bool {
		status, _, _ := fetch(s.t, index)
		return status == http.StatusOK
	})
	return index
}

// watchAll follows streams at the same time, as soon as each can be played, and requires that no rule is broken.
func (s *instance) watchAll(streams map[string]time.Duration) map[string]*watch.Report {
	s.t.Helper()
	var all sync.WaitGroup
	var mu sync.Mutex
	reports := map[string]*watch.Report{}
	for stream, long := range streams {
		index := s.playable(stream)
		all.Go(func() {
			r, err := watch.Run(context.Background(), watch.Options{URL: index, For: long, Strict: true, UserAgent: "test"})
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				s.t.Errorf("%s: %v", stream, err)
				return
			}
			reports[stream] = r
		})
	}
	all.Wait()
	for stream := range streams {
		require.NotNil(s.t, reports[stream])
		var told strings.Builder
		require.NoError(s.t, reports[stream].WriteText(&told))
		require.Equal(s.t, watch.Held, reports[stream].Verdict, told.String())
		require.Greater(s.t, reports[stream].Renditions[0].Parts.Count, 10)
	}
	return reports
}

func codecs(r *watch.Report) (list []string) {
	for _, rendition := range r.Renditions {
		list = append(list, rendition.Codecs...)
	}
	return list
}

func verdictOn(r *watch.Report, rule string) string {
	for _, x := range r.Rules {
		if x.Name == rule {
			return x.Verdict
		}
	}
	return "there is no such rule"
}

// fragmented is a file with one track of another one.
func fragmented(t *testing.T, track *fmp4.Track) []byte {
	t.Helper()
	file, err := fmp4.OpusInit(max(1, track.Channels))
	if track.Name != "Opus" {
		file, err = fmp4.H264Init(track.SPS, track.PPS)
	}
	require.NoError(t, err)
	for i, s := range track.Samples {
		data, err := track.ReadSample(nil, i)
		require.NoError(t, err)
		part, err := fmp4.Part(uint32(i+1), uint64(s.DTS-track.Samples[0].DTS), []fmp4.Sample{{Duration: s.Duration, Size: s.Size, Sync: s.Sync}}, data)
		require.NoError(t, err)
		file = append(file, part...)
	}
	return file
}

// annexB makes a file of H.264 as encoders write it, at 30 pictures a second.
func annexB(t *testing.T, path string) []byte {
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Error(err)
		return nil
	}
	var sets [2][][]byte
	var samples [][]byte
	var sync []bool
	for nal := range bytes.SplitSeq(raw, []byte{0, 0, 1}) {
		nal = bytes.TrimRight(nal, "\x00")
		if len(nal) == 0 {
			continue
		}
		switch kind := nal[0] & 31; kind {
		case 7, 8:
			if len(sets[kind-7]) == 0 {
				sets[kind-7] = [][]byte{nal}
			}
		case 9:
			samples, sync = append(samples, nil), append(sync, false)
		case 1, 5:
			n := len(samples) - 1
			samples[n] = append(append(samples[n], byte(len(nal)>>24), byte(len(nal)>>16), byte(len(nal)>>8), byte(len(nal))), nal...)
			sync[n] = sync[n] || kind == 5
		}
	}
	file, err := fmp4.H264Init(sets[0], sets[1])
	for i := 0; err == nil && i < len(samples); i++ {
		var part []byte
		part, err = fmp4.Part(uint32(i+1), uint64(3000*i), []fmp4.Sample{{Duration: 3000, Size: uint32(len(samples[i])), Sync: sync[i]}}, samples[i])
		file = append(file, part...)
	}
	if err != nil {
		t.Error(err)
	}
	return file
}
