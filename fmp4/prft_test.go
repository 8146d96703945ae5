package fmp4

import (
	"bytes"
	"testing"
	"time"

	"github.com/Eyevinn/mp4ff/mp4"
	"github.com/stretchr/testify/require"
)

// Read back by the box library, which knows the box as well.
func TestTimedPart_ISO14496_12_8_16_5(t *testing.T) {
	at := time.Date(2026, 11, 22, 12, 0, 0, 250_000_000, time.UTC)
	samples := []Sample{{Duration: 3000, Size: 3, Sync: true}, {Duration: 3000, Size: 2}}
	timed, err := TimedPart(at, 7, 90_000, samples, []byte("abcde"))
	require.NoError(t, err)
	plain, err := Part(7, 90_000, samples, []byte("abcde"))
	require.NoError(t, err)
	require.Equal(t, plain, timed[prftSize:], "what follows is the part itself")
	require.Equal(t, len(timed), cap(timed), "one allocation of exactly its size")

	box, err := mp4.DecodeBox(0, bytes.NewReader(timed))
	require.NoError(t, err)
	prft, ok := box.(*mp4.PrftBox)
	require.True(t, ok)
	require.EqualValues(t, 90_000, prft.MediaTime)
	require.EqualValues(t, trackID, prft.ReferenceTrackID)
	require.EqualValues(t, prftFlags, prft.Flags)
	require.WithinDuration(t, at, prft.NTPTimestamp.Time(), time.Microsecond)

	fragments, err := ParseParts(timed)
	require.NoError(t, err)
	require.Len(t, fragments, 1)
	require.Equal(t, []byte("de"), fragments[0].Samples[1].Data)
}

func TestTimedPartRefusesWhatPartRefuses(t *testing.T) {
	for _, samples := range [][]Sample{nil, {{Duration: 0, Size: 5}}, {{Duration: 1, Size: 4}}} {
		_, err := TimedPart(time.Now(), 1, 0, samples, []byte("abcde"))
		require.ErrorIs(t, err, ErrSamples)
	}
}

func TestNTPTime_RFC5905_6(t *testing.T) {
	require.EqualValues(t, uint64(2208988800)<<32, ntpTime(time.Unix(0, 0)))
	require.EqualValues(t, uint64(2208988801)<<32|1<<31, ntpTime(time.Unix(1, 500_000_000)))
}
