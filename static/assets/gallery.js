// Keeps the stills of the cards fresh: one at a time, and only of cards that are in sight.
import {paint, supported} from './still.js';

const fresh = 10_000;  // ms that a still is good for
const again = 2500;    // ms until another try where there was none
const pause = 400;     // ms between two stills: the page has other things to do

const inSight = new WeakMap(); // element -> whether it is
const observer = globalThis.IntersectionObserver && new IntersectionObserver(entries => { for (const e of entries) inSight.set(e.target, e.isIntersecting); });

/** Tells whether a card is in sight from now on. */
export const hang = card => observer?.observe(card.element);

/** Forgets a card. */
export const take = card => observer?.unobserve(card.element);

/** The card whose still is due first, or null; now is in ms. */
function due(cards, now) {
  const list = [...cards].filter(c => c.pictured && c.still.due <= now && (!observer || inSight.get(c.element)));
  return list.sort((a, b) => a.still.due - b.still.due)[0] ?? null;
}

/** Paints for as long as the page lives; cards() gives those that there are. */
export async function run(cards) {
  if (!supported()) return;
  for (;;) {
    await new Promise(done => setTimeout(done, pause));
    if (document.hidden) continue;
    const card = due(cards(), performance.now());
    if (!card) continue;
    try {
      await paint(card.still.canvas, card.index);
      card.still.due = performance.now() + fresh;
      card.element.toggleAttribute('data-painted', true);
    } catch {
      card.still.due = performance.now() + again; // no keyframe in the window, or the stream has just gone
    }
  }
}
