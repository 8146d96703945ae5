package hls

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestParseRange(t *testing.T) {
	for header, want := range map[string]byteRange{
		"bytes=0-0":                    {partial, 0, 1},
		"bytes=0-":                     {partial, 0, 100},
		"bytes=10-19":                  {partial, 10, 20},
		"bytes=99-":                    {partial, 99, 100},
		"bytes=90-1000":                {partial, 90, 100},
		"bytes=0-9007199254740991":     {partial, 0, 100}, // RFC 8673
		"bytes=0-99999999999999999999": {partial, 0, 100},
		"bytes=-1":                     {partial, 99, 100},
		"bytes=-1000":                  {partial, 0, 100},
		"BYTES= 1-2 ":                  {partial, 1, 3},
		"bytes=100-":                   {kind: unsatisfiable},
		"bytes=100-200":                {kind: unsatisfiable},
		"bytes=-0":                     {kind: unsatisfiable},
		"bytes=99999999999999999999-":  {kind: unsatisfiable},
		"bytes=2-1":                    {},
		"bytes=0-1,5-6":                {},
		"bytes=-":                      {},
		"bytes=":                       {},
		"bytes":                        {},
		"bytes=a-b":                    {},
		"bytes=+1-2":                   {},
		"bytes=1--2":                   {},
		"items=0-1":                    {},
	} {
		require.Equal(t, want, parseRange(header, 100), header)
	}
}

// The standard library serves the same bytes for one range, whole or cut into parts as ours are.
func TestRangesAsTheStandardLibrary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var body [][]byte
		var all []byte
		for range rapid.IntRange(1, 4).Draw(t, "parts") {
			part := rapid.SliceOfN(rapid.Byte(), 1, 20).Draw(t, "part")
			body, all = append(body, part), append(all, part...)
		}
		from, to := rapid.IntRange(0, 90).Draw(t, "from"), rapid.IntRange(0, 90).Draw(t, "to")
		header := rapid.SampledFrom([]string{
			"", fmt.Sprintf("bytes=%d-", from), fmt.Sprintf("bytes=-%d", to+1), fmt.Sprintf("bytes=%d-%d", from, max(from, to)),
		}).Draw(t, "header")
		etag := `"e"`
		r := httptest.NewRequest(rapid.SampledFrom([]string{"GET", "HEAD"}).Draw(t, "method"), "/", nil)
		r.Header.Set("Range", header)
		if rapid.Bool().Draw(t, "conditional") {
			r.Header.Set("If-Range", rapid.SampledFrom([]string{etag, `"other"`, `W/"e"`, "Fri, 01 May 2026 00:00:00 GMT"}).Draw(t, "if-range"))
		}
		ours, theirs := httptest.NewRecorder(), httptest.NewRecorder()
		c := content{kind: videoMP4, etag: etag, body: body}
		status, sent := c.form(ours.Header(), r)
		write(ours, r, status, sent)
		theirs.Header().Set("ETag", etag)
		theirs.Header().Set("Content-Type", "video/mp4")
		if r.Method == http.MethodHead {
			r.Header.Del("Range") // http.ServeContent gives HEAD ranges, RFC 9110 14.2 does not
		}
		http.ServeContent(theirs, r, "", time.Time{}, bytes.NewReader(all))
		require.Equal(t, theirs.Code, ours.Code, "%q of %d", header, len(all))
		require.Equal(t, theirs.Header().Get("Content-Range"), ours.Header().Get("Content-Range"))
		if theirs.Code != http.StatusRequestedRangeNotSatisfiable {
			require.Equal(t, theirs.Body.String(), ours.Body.String())
			require.Equal(t, theirs.Header().Get("Content-Length"), ours.Header().Get("Content-Length"))
		}
	})
}

func TestAcceptsGzip(t *testing.T) {
	for header, want := range map[string]bool{
		"":                              false,
		"gzip":                          true,
		"GZip":                          true,
		"x-gzip":                        true,
		"gzip, deflate, br, zstd":       true,
		"br;q=1.0, gzip;q=0.8, *;q=0.1": true,
		"gzip;q=0":                      false,
		"gzip;q=0.000":                  false,
		"gzip;q=0.001":                  true,
		"gzip ; Q=0":                    false,
		"*":                             true,
		"*;q=0":                         false,
		"gzip;q=0, *":                   false,
		"*, gzip;q=0":                   false,
		"identity":                      false,
		"identity, gzip;q=0.5":          false,
		"identity;q=0.5, gzip;q=1.0":    true,
		"identity;q=0":                  false,
		"deflate":                       false,
		"gzipped":                       false,
		"gzip;q=x":                      false,
		"gzip;q=NaN":                    false,
		"gzip;q=2":                      false,
		"gzip;level=9":                  true,
		",,gzip,,":                      true,
	} {
		require.Equal(t, want, acceptsGzip([]string{header}), header)
	}
	require.True(t, acceptsGzip([]string{"br", "gzip"}), "two lines are one list")
	require.False(t, acceptsGzip(nil))
}

func TestMatches(t *testing.T) {
	for header, want := range map[string]bool{
		`"a"`: true, `W/"a"`: true, `*`: true, ` * `: false, `"b", "a"`: true, `"b","a"`: true, `W/"b", W/"a"`: true, `"b"`: false, ``: false,
		`a`: false, `"a`: false, `"b" "a"`: true, `"a-gzip"`: false, `,,"a"`: true, `w/"a"`: false, `"b,"a"`: false, `W/`: false,
	} {
		require.Equal(t, want, matches([]string{header}, `"a"`), header)
	}
	require.True(t, matches([]string{`"b"`, `"a"`}, `"a"`))
}

func FuzzHeaders(f *testing.F) {
	f.Add("bytes=0-1", `W/"a", "b"`, "gzip;q=0.5, *")
	f.Add("bytes=-5", `*`, "identity")
	f.Fuzz(func(t *testing.T, ranges, tags, accept string) {
		switch got := parseRange(ranges, 10); got.kind {
		case partial:
			require.True(t, 0 <= got.from && got.from < got.to && got.to <= 10, "%q: %+v", ranges, got)
		default:
			require.Zero(t, got.from+got.to)
		}
		if matches([]string{tags}, `"a"`) {
			require.True(t, strings.Contains(tags, `"a"`) || strings.Contains(tags, "*"))
		}
		if acceptsGzip([]string{accept}) {
			require.True(t, strings.Contains(strings.ToLower(accept), "gzip") || strings.Contains(accept, "*"))
		}
	})
}
