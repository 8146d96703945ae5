package logbook

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/slogtest"
	"time"

	"github.com/stretchr/testify/require"
)

func book(level slog.Level) (*Book, *bytes.Buffer, *slog.Logger) {
	var out bytes.Buffer
	b := New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: level}))
	return b, &out, slog.New(b)
}

// It changes nothing of what goes through it.
func TestHandler(t *testing.T) {
	var out bytes.Buffer
	b := New(slog.NewJSONHandler(&out, nil))
	now := time.Unix(1e9, 0)
	b.now = func() time.Time { // its lines are all the same, and come slowly enough
		now = now.Add(burstTime)
		return now
	}
	require.NoError(t, slogtest.TestHandler(b, func() []map[string]any {
		var all []map[string]any
		for line := range bytes.Lines(out.Bytes()) {
			var m map[string]any
			require.NoError(t, json.Unmarshal(line, &m))
			all = append(all, m)
		}
		return all
	}))
}

func TestLines(t *testing.T) {
	b, _, log := book(slog.LevelInfo)
	log.With("stream", "a", "session", "s").Warn("one", "n", 1)
	log.Info("two", "stream", "a", "err", fmt.Errorf("bad"))
	log.Info("three", "stream", "b")
	log.Info("nobody's")
	log.Debug("not enabled", "stream", "a")
	log.WithGroup("g").Info("four", "stream", "a")
	lines := b.Lines("a")
	require.Len(t, lines, 2)
	require.Equal(t, []string{"WARN one session=s n=1", "INFO two err=bad"}, []string{lines[0].Level + " " + lines[0].Text, lines[1].Level + " " + lines[1].Text})
	require.Len(t, b.Lines("b"), 1)
	require.Empty(t, b.Lines("c"))
	require.NotNil(t, b.Lines("c"))
}

func TestLinesAreBounded(t *testing.T) {
	b, _, log := book(slog.LevelDebug)
	for i := range maxLines + 5 {
		log.Debug(fmt.Sprint("line ", i), "stream", "a", "long", strings.Repeat("ä", maxLine))
	}
	lines := b.Lines("a")
	require.Len(t, lines, maxLines)
	require.True(t, strings.HasPrefix(lines[0].Text, "line 5 "))
	require.LessOrEqual(t, len(lines[0].Text), maxLine+3)
	for i := range maxStreams {
		log.Debug("x", "stream", fmt.Sprint("s", i))
	}
	require.Empty(t, b.Lines("a"), "the one that was silent for longest is forgotten")
	require.Len(t, b.streams, maxStreams)
}

// The same line again and again is held back, and counted; other streams, other lines and debug are not.
func TestRepeats(t *testing.T) {
	b, out, log := book(slog.LevelDebug)
	now := time.Unix(1e9, 0)
	b.now = func() time.Time { return now }
	for range burst + 7 {
		log.Warn("again", "stream", "a")
		log.Debug("detail", "stream", "a")
	}
	log.Warn("again", "stream", "b")
	require.Equal(t, burst+1, strings.Count(out.String(), "msg=again"))
	require.Equal(t, burst+7, strings.Count(out.String(), "msg=detail"))
	now = now.Add(burstTime)
	log.Warn("again", "stream", "a")
	require.Contains(t, out.String(), "msg=again stream=a repeats_left_out=7")
	now = now.Add(burstTime)
	out.Reset()
	log.Warn("again", "stream", "a")
	require.NotContains(t, out.String(), "repeats_left_out")
}

func TestRepeatsAreBounded(t *testing.T) {
	b, _, log := book(slog.LevelInfo)
	for i := range maxRepeats + 100 {
		log.Info(fmt.Sprint("line ", i))
	}
	require.LessOrEqual(t, len(b.repeats), maxRepeats)
}
