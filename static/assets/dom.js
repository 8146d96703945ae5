// Small helpers over the DOM. Text always goes in as text, never as markup.

const svg = 'http://www.w3.org/2000/svg';
const sprite = new URL('./icons.svg', import.meta.url).pathname;

/** The element with this id. */
export const $ = id => document.getElementById(id);

/** el('a', {href, class, onclick, ...}, child, ...): an element; children are nodes or text. */
export function el(tag, props = {}, ...children) {
  const e = document.createElement(tag);
  for (const [k, v] of Object.entries(props)) {
    if (v === undefined || v === null || v === false) continue;
    if (k.startsWith('on')) e.addEventListener(k.slice(2), v);
    else e.setAttribute(k, v === true ? '' : v);
  }
  e.append(...children.filter(c => c !== null && c !== undefined));
  return e;
}

/** A picture of the sprite. */
export function icon(name) {
  const s = document.createElementNS(svg, 'svg'), use = document.createElementNS(svg, 'use');
  s.setAttribute('class', 'icon');
  s.setAttribute('aria-hidden', 'true');
  use.setAttribute('href', `${sprite}#${name}`);
  s.append(use);
  return s;
}

/** Changes the picture inside a button. */
export function setIcon(button, name) {
  button.querySelector('use')?.setAttribute('href', `${sprite}#${name}`);
}

/** Writes text only where it changed: a screen reader and the selection of a user stay calm. */
export function setText(e, text) {
  if (e.textContent !== String(text)) e.textContent = text;
}

/** Shows a state as a pill: tone is good, warn, bad or empty. */
export function setPill(e, text, tone = '') {
  setText(e, text);
  e.dataset.tone = tone;
}

/** Copies text; also on plain HTTP, where the clipboard API is missing. Resolves to whether it worked. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = el('textarea', {class: 'hidden-label', readonly: true}, text);
    (document.querySelector('dialog[open]') ?? document.body).append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    return done;
  }
}

/** Makes a button copy what get() returns and say so for a moment. */
export function copies(button, get) {
  const label = button.querySelector('span') ?? button;
  const before = label.textContent;
  let timer;
  button.addEventListener('click', async () => {
    const done = await copy(get());
    label.textContent = done ? 'Copied' : 'Press Ctrl+C';
    setIcon(button, done ? 'check' : 'copy');
    clearTimeout(timer);
    timer = setTimeout(() => { label.textContent = before; setIcon(button, 'copy'); }, 1600);
  });
  return button;
}

/** A line with a value and a copy button; set(text) of the result changes it. */
export function copyLine(label, text) {
  const code = el('code', {tabindex: '0', 'aria-label': label}, text);
  const button = copies(el('button', {type: 'button', class: 'button tiny', 'aria-label': `Copy: ${label}`}, icon('copy'), el('span', {}, 'Copy')), () => code.textContent);
  const line = el('div', {class: 'field'}, el('span', {}, label), el('div', {class: 'copyline'}, code, button));
  line.set = value => setText(code, value);
  return line;
}

/** Fills a description list; rows is [[term, text], ...]. Elements are kept while the terms stay the same. */
export function facts(dl, rows) {
  const shown = rows.filter(([, text]) => text !== undefined && text !== '');
  const terms = shown.map(([term]) => term).join('\n');
  if (dl.dataset.terms !== terms) {
    dl.dataset.terms = terms;
    dl.replaceChildren(...shown.flatMap(([term]) => [el('dt', {}, term), el('dd')]));
  }
  const values = dl.querySelectorAll('dd');
  shown.forEach(([, text], i) => setText(values[i], text));
}
