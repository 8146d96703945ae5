package signaling

import (
	"log/slog"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func addOffers(f *testing.F) {
	names, err := filepath.Glob("testdata/*.sdp")
	require.NoError(f, err)
	require.NotEmpty(f, names)
	for _, n := range names {
		f.Add(recorded(f, filepath.Base(n)))
	}
	f.Add(plain)
	f.Add(edit(f, videoCodec, videoCodec+"a=rid:h send\na=ssrc-group:FID 1 2\na=ssrc:1 cname:x\na=extmap:4/sendonly urn:ietf:params:rtp-hdrext:sdes:mid\n"))
}

// Whatever is offered, it is refused with a problem or reduced to something that is accepted again unchanged.
func FuzzOffer(f *testing.F) {
	addOffers(f)
	f.Fuzz(func(t *testing.T, body string) {
		o, p := parseOffer(body)
		if p != nil {
			require.Contains(t, []int{400, 422}, p.status)
			require.NotEmpty(t, p.detail)
			require.Less(t, len(p.detail), 1000)
			return
		}
		require.LessOrEqual(t, len(o.sections), 2)
		require.LessOrEqual(t, len(o.candidates), maxCandidates)
		text := o.normalized(1)
		again, p := parseOffer(text)
		require.Nil(t, p, "%v\n%s", p, text)
		require.Equal(t, text, again.normalized(1))
		require.Equal(t, strings.Count(text, "\nm="), len(o.sections))
	})
}

// Whatever passes the checks is answered: the library has nothing left to object to. The offers are recorded ones with
// lines taken out, repeated, exchanged and torn, so that many pass.
func TestMutatedOffers(t *testing.T) {
	var offers []string
	for name := range recordings {
		offers = append(offers, recorded(t, name))
	}
	slices.Sort(offers)
	offers = append(offers, plain)
	peers := testFactory(t, Config{UDPAddress: "127.0.0.1:0"})
	rapid.Check(t, func(t *rapid.T) {
		lines := strings.SplitAfter(rapid.SampledFrom(offers).Draw(t, "offer"), "\n")
		for range rapid.IntRange(0, 5).Draw(t, "mutations") {
			lines = mutate(t, lines)
		}
		o, problem := parseOffer(strings.Join(lines, ""))
		if problem != nil {
			require.Contains(t, []int{400, 422}, problem.status)
			return
		}
		p, answer, err := peers.open(o, peers.log.log)
		require.NoError(t, err, o.normalized(1))
		p.close()
		require.Equal(t, len(o.sections), strings.Count(answer, "\r\nm="))
		require.Equal(t, 1, strings.Count(answer, "a=candidate:"))
		require.Equal(t, len(o.sections), strings.Count(answer, "\r\na=recvonly"))
	})
}

func mutate(t *rapid.T, lines []string) []string {
	i := rapid.IntRange(0, len(lines)-1).Draw(t, "line")
	j := rapid.IntRange(0, len(lines)-1).Draw(t, "other")
	out := slices.Clone(lines)
	switch rapid.IntRange(0, 4).Draw(t, "kind") {
	case 0:
		return slices.Delete(out, i, i+1)
	case 1:
		return slices.Insert(out, j, out[i])
	case 2:
		out[i], out[j] = out[j], out[i]
	case 3: // digits change
		d := rapid.SampledFrom([]string{"0", "1", "96", "127", "128", "4294967295", "-1", "99999999999999999999", ""}).Draw(t, "number")
		out[i] = digits.ReplaceAllLiteralString(out[i], d)
	case 4: // half of the line is of another
		cut := rapid.IntRange(0, len(out[i])).Draw(t, "cut")
		out[i] = out[i][:cut] + out[j][min(cut, len(out[j])):]
	}
	return out
}

var digits = regexp.MustCompile(`[0-9]+`)

// testFactory makes peers without a server.
func testFactory(t testing.TB, c Config) *factory {
	t.Helper()
	c, err := c.withDefaults()
	require.NoError(t, err)
	f, err := newFactory(c, newLibraryLog(slog.New(slog.DiscardHandler)))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.close()) })
	return f
}
