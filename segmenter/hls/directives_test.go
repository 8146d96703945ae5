package hls

import (
	"math"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestParseDirectives_6_2_5(t *testing.T) {
	for query, want := range map[string]directives{
		"":                                     {-1, -1, false},
		"_HLS_msn=0":                           {0, -1, false},
		"_HLS_msn=12&_HLS_part=3":              {12, 3, false},
		"_HLS_part=3&_HLS_msn=12":              {12, 3, false},
		"_HLS_skip=YES&_HLS_part=0&_HLS_msn=1": {1, 0, true},
		"_HLS_skip=v2":                         {-1, -1, true},
		"_HLS_skip=NO":                         {-1, -1, false},
		"_HLS_skip=":                           {-1, -1, false},
		"_HLS_skip=yes":                        {-1, -1, false},
		"a=1&_HLS_msn=1&b=%zz&_HLS_later=x&&":  {1, -1, false},
		"_HLS_msn=9223372036854775807":         {math.MaxInt64, -1, false},
		"_HLS_msn=007":                         {7, -1, false},
		"%5FHLS_msn=%31%32":                    {12, -1, false},
		"_HLS_report=../audio/media.m3u8":      {-1, -1, false},
		"_hls_msn=x":                           {-1, -1, false},
		"token=_HLS_msn=x":                     {-1, -1, false},
	} {
		got, err := parseDirectives(query)
		require.NoError(t, err, query)
		require.Equal(t, want, got, query)
	}
}

func TestParseDirectivesRefuses_6_2_5_2(t *testing.T) {
	for _, query := range []string{
		"_HLS_part=0", "_HLS_part=0&_HLS_skip=YES", "_HLS_msn", "_HLS_msn=", "_HLS_msn=x", "_HLS_msn=-1", "_HLS_msn=+1", "_HLS_msn=1+",
		"_HLS_msn=%2b1", "_HLS_msn=1.0", "_HLS_msn=0x1", "_HLS_msn=1_000", "_HLS_msn=9223372036854775808", "_HLS_msn=18446744073709551616",
		"_HLS_msn=1&_HLS_part=", "_HLS_msn=1&_HLS_part=-1", "_HLS_msn=1&_HLS_part=9223372036854775808", "_HLS_msn=%zz",
		"_HLS_msn=1&_HLS_msn=1", "_HLS_msn=1&_HLS_part=1&_HLS_part=2", "_HLS_skip=YES&_HLS_skip=v2", "_HLS_msn=٣",
	} {
		got, err := parseDirectives(query)
		require.ErrorIs(t, err, errDirectives, query)
		require.Zero(t, got, query)
	}
}

func FuzzDirectives(f *testing.F) {
	for _, query := range []string{"_HLS_msn=1&_HLS_part=2&_HLS_skip=YES", "%5FHLS_msn=1", "a=b&_HLS_x=1", "_HLS_part=1", "&&==&"} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		d, err := parseDirectives(query)
		if err != nil {
			require.ErrorIs(t, err, errDirectives)
			return
		}
		require.GreaterOrEqual(t, d.msn, int64(-1))
		require.GreaterOrEqual(t, d.part, int64(-1))
		require.False(t, d.part >= 0 && d.msn < 0)
		// Where the standard library understands the whole query, both read the same.
		values, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		require.Equal(t, values.Has("_HLS_msn"), d.msn >= 0)
		require.Equal(t, values.Has("_HLS_part"), d.part >= 0)
		if d.msn >= 0 {
			n, err := strconv.ParseInt(values.Get("_HLS_msn"), 10, 64)
			require.NoError(t, err)
			require.Equal(t, n, d.msn)
		}
		// A playlist that is there satisfies every request for what it holds, and check never refuses those.
		e := edge{msn: d.msn, part: max(d.part, 0), complete: d.msn}
		if d.blocks() {
			require.True(t, d.satisfies(e))
			require.NoError(t, d.check(e, 13))
		}
	})
}

// The open segment 10 has parts 0 to 4.
var inTheMiddle = edge{msn: 10, part: 4, complete: 9}

// Segment 10 has just been completed with parts 0 to 8.
var atTheCut = edge{msn: 10, part: 8, complete: 10}

func TestSatisfies_6_2_5_2(t *testing.T) {
	for _, test := range []struct {
		name string
		d    directives
		e    edge
		want bool
	}{
		{"an old segment", directives{3, -1, false}, inTheMiddle, true},
		{"the last complete segment", directives{9, -1, false}, inTheMiddle, true},
		{"a segment that is open is not there", directives{10, -1, false}, inTheMiddle, false},
		{"it is when it is complete", directives{10, -1, false}, atTheCut, true},
		{"the next one is not", directives{11, -1, false}, atTheCut, false},
		{"an earlier part", directives{10, 0, false}, inTheMiddle, true},
		{"the last part", directives{10, 4, false}, inTheMiddle, true},
		{"the next part", directives{10, 5, false}, inTheMiddle, false},
		{"a part of an old segment", directives{7, 2, false}, inTheMiddle, true},
		{"a part past the end of an old segment is part 0 of the next", directives{9, 50, false}, inTheMiddle, true},
		{"a part past the end of the last complete segment waits for part 0 of the next", directives{10, 9, false}, atTheCut, false},
		{"and gets it", directives{10, 9, false}, edge{msn: 11, part: 0, complete: 10}, true},
		{"part 0 of the next segment", directives{11, 0, false}, atTheCut, false},
		{"a later part of the next segment waits on", directives{11, 1, false}, edge{msn: 11, part: 0, complete: 10}, false},
	} {
		t.Run(test.name, func(t *testing.T) { require.Equal(t, test.want, test.d.satisfies(test.e)) })
	}
}

func TestCheck_6_2_5_2(t *testing.T) {
	for _, test := range []struct {
		name string
		d    directives
		e    edge
		ok   bool
	}{
		{"the next segment", directives{11, -1, false}, inTheMiddle, true},
		{"two past the last", directives{12, -1, false}, inTheMiddle, true},
		{"three past the last", directives{13, -1, false}, inTheMiddle, false},
		{"for ever", directives{math.MaxInt64, -1, false}, inTheMiddle, false},
		{"part and segment too far", directives{math.MaxInt64, math.MaxInt64, false}, inTheMiddle, false},
		{"the limit", directives{10, 17, false}, inTheMiddle, true},
		{"past the limit", directives{10, 18, false}, inTheMiddle, false},
		{"for ever within the segment", directives{10, math.MaxInt64, false}, inTheMiddle, false},
		{"part 0 of the next segment", directives{11, 0, false}, atTheCut, true},
		{"the limit in the next segment", directives{11, 12, false}, atTheCut, true},
		{"past it", directives{11, 13, false}, atTheCut, false},
		{"any part of an old segment", directives{9, math.MaxInt64, false}, inTheMiddle, true},
		{"nothing is there yet", directives{0, 0, false}, edge{msn: -1, part: math.MaxInt32, complete: -1}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := test.d.check(test.e, 13)
			if test.ok {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, errDirectives)
		})
	}
}

func TestAdvanceLimit_6_2_5_2(t *testing.T) {
	for part, want := range map[time.Duration]int64{
		222 * time.Millisecond: 13, 200 * time.Millisecond: 15, 999 * time.Millisecond: 3, time.Second: 3, 4 * time.Second: 3, 50 * time.Millisecond: 60,
	} {
		require.Equal(t, want, advanceLimit(part), part)
	}
}

// As a stream goes on part by part, a request that was satisfied stays so, and none that waits is ever refused.
func TestSatisfactionOnlyGrows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := directives{msn: rapid.Int64Range(0, 12).Draw(t, "msn"), part: rapid.Int64Range(-1, 20).Draw(t, "part")}
		e := edge{msn: rapid.Int64Range(0, 10).Draw(t, "from"), part: 0}
		e.complete = e.msn - 1
		satisfied, accepted := false, false
		for range 60 {
			if satisfied {
				require.True(t, d.satisfies(e), "%+v %+v", d, e)
			}
			if accepted {
				require.NoError(t, d.check(e, 13), "%+v %+v", d, e)
			}
			satisfied, accepted = d.satisfies(e), d.check(e, 13) == nil
			switch {
			case e.complete == e.msn:
				e.msn, e.part = e.msn+1, 0
			case rapid.Bool().Draw(t, "cut"):
				e.complete = e.msn
			default:
				e.part++
			}
		}
		require.True(t, satisfied, "everything comes in the end: %+v %+v", d, e)
	})
}
