package segmenter

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSimulationDecodes lets ffmpeg decode every epoch of some simulated streams, each from its first IDR: not a word of
// complaint, whatever the network did.
func TestSimulationDecodes(t *testing.T) {
	ffmpeg, err := exec.LookPath("ffmpeg")
	if err != nil {
		if os.Getenv("WHIPSAW_REQUIRE_TOOLS") != "" {
			t.Fatal("ffmpeg is missing")
		}
		t.Skip("ffmpeg is missing: what the simulated streams publish is not decoded")
	}
	count := 12
	if testing.Short() {
		count = 2
	}
	for n := range count {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			for name, data := range epochs(simulate(t, uint64(n))) {
				cmd := exec.CommandContext(t.Context(), ffmpeg, "-v", "error", "-i", "pipe:0",
					"-fps_mode", "passthrough", "-enc_time_base", "1:90000", "-f", "null", "-") // times as they are, for the muxer too
				cmd.Stdin = bytes.NewReader(data)
				out, err := cmd.CombinedOutput()
				require.NoError(t, err, "%s: %s", name, out)
				require.Empty(t, string(out), name)
			}
		})
	}
}

// epochs are the published bytes of video, by generation, epoch and init.
func epochs(w *world) map[string][]byte {
	out := map[string][]byte{}
	for _, g := range w.gens {
		v := w.views[g.Rendition("video")]
		if v == nil {
			continue
		}
		for _, p := range v.parts {
			seg := v.segs[p.MSN]
			name := fmt.Sprintf("generation %s, epoch %d, init %d", g.id, p.Epoch, seg.Init)
			if out[name] == nil {
				out[name] = bytes.Clone(v.inits[seg.Init])
			}
			out[name] = append(out[name], p.Data...)
		}
	}
	return out
}
