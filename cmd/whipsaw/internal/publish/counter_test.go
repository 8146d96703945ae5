package publish

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestCounterWritesLines(t *testing.T) {
	var out bytes.Buffer
	now := time.Unix(0, 0)
	c := newCounter(&out, false)
	c.now = func() time.Time { return now }
	c.written = now
	c.say("live")
	for i := range 30 {
		now = now.Add(time.Second)
		c.sent(time.Duration(i+1)*time.Second, 12500)
	}
	c.keyframe(true)
	c.keyframe(false)
	c.close()
	require.Equal(t, []string{
		"0:00:00  live",
		"0:00:10  live  100 kbit/s  keyframes asked for: 0, given: 0",
		"0:00:20  live  100 kbit/s  keyframes asked for: 0, given: 0",
		"0:00:30  live  100 kbit/s  keyframes asked for: 0, given: 0",
		"0:00:30  ended  0 kbit/s  keyframes asked for: 2, given: 1",
	}, strings.Split(strings.TrimSpace(out.String()), "\n"))
}

// On a terminal one line is written over and over; a shorter one hides all of a longer one.
func TestCounterRedraws(t *testing.T) {
	var out bytes.Buffer
	c := newCounter(&out, true)
	c.say("connecting to a far away place")
	c.say("live")
	c.close()
	parts := strings.Split(out.String(), "\r")
	require.Len(t, parts, 4)
	require.Len(t, parts[2], len(parts[1]))
	require.Equal(t, 1, strings.Count(out.String(), "\n"))
	require.True(t, strings.HasSuffix(out.String(), "\n"))
}

func TestCounterWithoutWriter(t *testing.T) {
	c := newCounter(nil, false)
	c.say("live")
	c.sent(time.Second, 100)
	c.close()
	require.EqualValues(t, 800, c.bits)
}

func TestClock(t *testing.T) {
	require.Equal(t, "1:02:03", clock(time.Hour+2*time.Minute+3*time.Second+999*time.Millisecond))
}
