package manual

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"whipsaw/cmd/whipsaw/internal/config"
	"whipsaw/static"
)

// one has everything that the texts use.
var one = static.Topic{Name: "one", Title: "One thing", Lead: "What it is about.", Text: "A **bold** word, `code *as it is*`, [a topic](nat.md#x), [a site](https://a.example/)\n" +
	"and <https://b.example/>, *so* far.\n\n## Lists\n\n- the first, which is so long that it has to go on in another line of the terminal\n- second\n\n   ```sh\n   in a list\n   ```\n\n" +
	"1. one\n2. two\n\n```sh\nwhipsaw --demo   # kept **as** it is\n\nlast\n```\n\n| what | how | why |\n|---|---|---|\n| `a\\|b` | slowly | |\n| c | fast | because |\n"}

const plain = `One thing
  What it is about.

  A bold word, code *as it is*, a topic (whipsaw help nat), a
  site (https://a.example/) and https://b.example/, so far.

Lists

  - the first, which is so long that it has to go on in another
    line of the terminal
  - second

       in a list

  1. one
  2. two

    whipsaw --demo   # kept **as** it is

    last

  a|b
      how: slowly
  c
      how: fast
      why: because

The same as a page: /docs/one of a running server. Other topics: whipsaw help
`

func TestPage(t *testing.T) {
	require.Equal(t, plain, newPage(Style{Width: 64}).topic(one))
}

// Colours change nothing but the look: the escapes away, the text is the same.
func TestColours(t *testing.T) {
	out := newPage(Style{Width: 64, Colour: true}).topic(one)
	require.Contains(t, out, bold+"One thing"+off)
	require.Contains(t, out, cyan+"code *as it is*"+off)
	require.Equal(t, plain, escapes.ReplaceAllString(out, ""))
}

// Lines keep to the terminal's width, as far as words do.
func TestWidth(t *testing.T) {
	for _, w := range []int{0, 40, 72, 96, 1000} {
		for line := range strings.Lines(newPage(Style{Width: w}).topic(one)) {
			if len(strings.Fields(line)) > 1 && !strings.HasPrefix(line, "    ") && !strings.HasPrefix(line, "The same") {
				require.LessOrEqual(t, len(line)-1, min(max(w, narrowest), widest), "%q", line)
			}
		}
	}
}

func TestSuggestions(t *testing.T) {
	for name, want := range map[string]string{
		"obss": "did you mean obs?", "trubleshooting": "did you mean troubleshooting?", "OBS": "did you mean obs?", "publsh": "did you mean publish?",
		"mediastreamvalidator": "topics that speak of it: safari", "qqqq": "",
	} {
		require.Contains(t, suggestion(name), want, name)
		var b strings.Builder
		err := Write(&b, name, Style{Width: 80})
		require.ErrorIs(t, err, config.ErrUsage)
		require.Empty(t, b.String())
	}
	require.Empty(t, suggestion("qqqq"))
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"abc", "abc", 0}, {"kitten", "sitting", 3}, {"nat", "tan", 2}} {
		require.Equal(t, c.want, distance(c.a, c.b), "%s %s", c.a, c.b)
	}
}

// Whatever a text has, the page ends.
func FuzzPage(f *testing.F) {
	f.Add(one.Text)
	f.Add("```\nopen\n")
	f.Add("|\n|\n||a\n")
	f.Fuzz(func(t *testing.T, text string) {
		out := newPage(Style{Width: 60, Colour: true}).topic(static.Topic{Name: "x", Title: "x", Lead: "x", Text: text})
		require.True(t, strings.HasSuffix(out, "whipsaw help\n"))
	})
}
