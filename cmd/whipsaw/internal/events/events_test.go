package events

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whipsaw/segmenter"
)

func TestOrder(t *testing.T) {
	var h Hub
	l := h.Listen(3, 10)
	for _, kind := range []string{"a", "b", "c"} {
		h.Publish(Event{Type: kind})
	}
	l.Close()
	l.Close()
	var got []string
	for e := range l.C {
		require.EqualValues(t, len(got)+1, e.ID)
		got = append(got, e.Type)
	}
	require.Equal(t, []string{"a", "b", "c"}, got)
	require.EqualValues(t, 4, h.Publish(Event{Type: "nobody listens"}).ID)
}

// Who does not keep up is dropped, and holds nobody up.
func TestSlowListener(t *testing.T) {
	var h Hub
	slow, quick := h.Listen(1, 10), h.Listen(10, 10)
	for range 3 {
		h.Publish(Event{})
	}
	require.Len(t, quick.C, 3)
	<-slow.C
	_, more := <-slow.C
	require.False(t, more)
	require.Len(t, h.listeners, 1)
}

func TestListenersAreBounded(t *testing.T) {
	var h Hub
	require.NotNil(t, h.Listen(1, 1))
	require.Nil(t, h.Listen(1, 1))
	h.Close()
	h.Close()
	require.Nil(t, h.Listen(1, 100), "it has ended")
}

func TestManyAtOnce(t *testing.T) {
	var h Hub
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 100 {
				l := h.Listen(1, 100)
				h.Publish(Event{})
				l.Close()
			}
		})
	}
	all.Wait()
	require.EqualValues(t, 400, h.last)
}

func TestFromStream(t *testing.T) {
	e := FromStream(segmenter.Event{Kind: segmenter.EventLeft, At: time.Unix(1, 0), Stream: "a", Session: "s", UserAgent: "u", Generation: "g", Reason: segmenter.ReasonKicked})
	require.Equal(t, Event{Type: "publish-ended", At: time.Unix(1, 0).UTC(), Stream: "a", Session: "s", UserAgent: "u", Generation: "g", Reason: "kicked"}, e)
	require.Contains(t, Types(), e.Type)
}
