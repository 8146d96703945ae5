// A number and its last minute, as a small line.
import {el, setText} from './dom.js';

const ns = 'http://www.w3.org/2000/svg', points = 60, width = 100, height = 20; // of the line: a minute, and its own units

/** Trace keeps what it was told for a minute; its element goes into a description list. */
export class Trace {
  #values = [];

  constructor(label) {
    this.term = el('dt', {}, label);
    this.text = el('span');
    this.line = line();
    this.element = el('div', {}, this.term, el('dd', {}, this.text, this.line));
  }

  /** Adds one value, and says it in words; what is no number leaves a gap at the end, and none at all empties the line. */
  add(value, text) {
    setText(this.text, text);
    this.#values = Number.isFinite(value) ? [...this.#values, value].slice(-points) : this.#values.slice(1);
    draw(this.line, this.#values);
  }

  /** Begins anew under another label. */
  rename(label) {
    if (this.term.textContent === label) return;
    setText(this.term, label);
    this.#values = [];
  }
}

function line() {
  const s = document.createElementNS(ns, 'svg'), area = document.createElementNS(ns, 'polygon'), stroke = document.createElementNS(ns, 'polyline');
  s.setAttribute('class', 'spark');
  s.setAttribute('viewBox', `0 0 ${width} ${height}`);
  s.setAttribute('preserveAspectRatio', 'none');
  s.setAttribute('aria-hidden', 'true');
  area.setAttribute('class', 'area');
  stroke.setAttribute('vector-effect', 'non-scaling-stroke');
  s.append(area, stroke);
  return s;
}

/** The points of a polyline for values: newest at the right edge, zero at the bottom. Pure. */
export function polyline(values) {
  const top = Math.max(...values) * 1.15 || 1, step = width / (points - 1), first = width - step * (values.length - 1);
  return values.map((v, i) => `${(first + i * step).toFixed(2)},${(height - 1 - (height - 2) * v / top).toFixed(2)}`).join(' ');
}

function draw(s, values) {
  const at = values.length > 3 ? polyline(values) : '', left = at.slice(0, at.indexOf(','));
  s.lastChild.setAttribute('points', at);
  s.firstChild.setAttribute('points', at && `${left},${height} ${at} ${width},${height}`);
}
