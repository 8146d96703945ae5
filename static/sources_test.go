package static

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// pixel reads a colour of the preview, at a place in parts of its width and height.
const pixel = `(x, y) => { const v = document.getElementById('preview'), c = new OffscreenCanvas(v.videoWidth, v.videoHeight).getContext('2d'); c.drawImage(v, 0, 0); return [...c.getImageData(x * v.videoWidth, y * v.videoHeight, 1, 1).data]; }`

// A shared screen with the camera in its corner is one picture of the size that was asked for, at a constant rate.
func TestScreenWithCamera(t *testing.T) {
	browser, back := chromium(t), newBackend(t)
	p := open(t, browser, desktop, back.server.URL+"/publish/live?source=both&size=640x360&fps=15")
	p.until(`window.whipsaw`)
	require.True(t, evaluate[bool](p, `['camera-field', 'mic-field', 'sound-field'].every(id => document.getElementById(id).checkVisibility())`))
	p.until(`document.getElementById('open').checkVisibility()`)
	evaluate[bool](p, `(document.getElementById('open').click(), true)`)
	p.until(`document.getElementById('preview').videoWidth > 0 || !document.getElementById('trouble').hidden`)
	require.Empty(t, p.text("trouble-text"))
	require.Equal(t, []int{640, 360}, evaluate[[]int](p, `[document.getElementById('preview').videoWidth, document.getElementById('preview').videoHeight]`))
	// What is shared is 4:3 here: black at its sides, but for the camera in the corner.
	p.until(`(` + pixel + `)(.93, .85)[1] > 60`)
	p.keep("screen-with-camera")
	require.Equal(t, []int{0, 0, 0, 255}, evaluate[[]int](p, `(`+pixel+`)(.05, .85)`))
	require.Equal(t, []int{0, 0, 0, 255}, evaluate[[]int](p, `(`+pixel+`)(.93, .3)`))
	require.Greater(t, evaluate[[]int](p, `(`+pixel+`)(.5, .3)`)[1], 60)
	p.healthy()
}
