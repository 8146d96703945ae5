// A moving test picture with a clock. Once a second it flashes, at the same moment as the tone beeps.

const bars = ['#c8ccd0', '#c9b32c', '#2fb3b8', '#37a04a', '#a944a5', '#c23b32', '#2f51b5'];

/** Returns {canvas, draw}: draw(now) paints the picture for a time in ms since 1970. */
export function testPicture(width, height, name) {
  const canvas = Object.assign(document.createElement('canvas'), {width, height}), c = canvas.getContext('2d', {alpha: false});
  const u = height / 36, font = (size, weight = 600) => `${weight} ${size * u}px system-ui, sans-serif`;
  let frame = 0;
  const draw = now => {
    bars.forEach((color, i) => { c.fillStyle = color; c.fillRect(Math.floor(i * width / bars.length), 0, Math.ceil(width / bars.length), height); });
    c.fillStyle = '#10141a';
    c.fillRect(0, height - 9 * u, width, 9 * u);
    sweep(c, width, height, u, now);
    clock(c, width, height, u, font, now);
    c.textAlign = 'left';
    c.font = font(1.7, 500);
    c.fillStyle = '#c9d1d9';
    c.fillText(name, 2 * u, height - 4.9 * u, width * .45);
    c.fillText(`frame ${frame++}`, 2 * u, height - 2.1 * u);
    c.textAlign = 'right';
    c.fillText(`${width}×${height}`, width - 2 * u, height - 2.1 * u);
  };
  draw(Date.now());
  return {canvas, draw};
}

/** A saw that runs once a second over the picture: a frame that is missing or doubled shows at once. */
function sweep(c, width, height, u, now) {
  const at = now % 1000 / 1000, y = height - 9 * u, teeth = 40, w = width / teeth, shift = now % 4000 / 4000 * w * 8;
  c.fillStyle = '#10141a';
  c.beginPath();
  c.moveTo(0, y);
  for (let i = -9; i <= teeth; i++) { c.lineTo(i * w + shift, y); c.lineTo(i * w + shift, y - 1.6 * u); }
  c.lineTo(width, y);
  c.fill();
  c.fillStyle = '#ff7f4d';
  c.fillRect(0, y, at * width, .5 * u);
}

function clock(c, width, height, u, font, now) {
  const date = new Date(now), two = n => String(n).padStart(2, '0'), flash = date.getMilliseconds() < 80;
  const text = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, '0')}`;
  const w = 35 * u, h = 8 * u, x = (width - w) / 2, y = 8 * u;
  c.fillStyle = flash ? '#ffffff' : '#10141a';
  c.beginPath();
  c.roundRect(x, y, w, h, 1.4 * u);
  c.fill();
  c.fillStyle = flash ? '#10141a' : '#ffffff';
  c.font = font(4.6, 700);
  c.textAlign = 'left';
  c.textBaseline = 'alphabetic';
  // Digit by digit at fixed places: a clock must not dance.
  let left = x + 2 * u;
  for (const sign of text) {
    const step = /\d/.test(sign) ? 2.9 * u : 1.65 * u;
    c.fillText(sign, left + (step - c.measureText(sign).width) / 2, y + 5.7 * u);
    left += step;
  }
}
