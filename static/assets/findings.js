// What the server found wrong with a stream, and what cures it.
import {el, icon, setText} from './dom.js';

const tones = {error: ['bad', 'Error'], warning: ['warn', 'Warning'], info: ['', 'Note']};

/** Findings keeps its elements while what was found stays the same: numbers in the sentences change all the time. */
export class Findings {
  #shown = '';
  #items = [];

  constructor() {
    this.grave = el('ul', {class: 'findings'});
    this.notes = el('ul', {class: 'findings'});
    this.count = el('summary');
    this.more = el('details', {hidden: true}, this.count, this.notes);
    this.element = el('div', {class: 'found', hidden: true}, this.grave, this.more);
  }

  /** Shows findings of the API, the gravest first; notes are folded away. */
  update(findings = []) {
    const key = findings.map(f => `${f.severity} ${f.id}`).join(',');
    if (key !== this.#shown) this.#build(key, findings);
    findings.forEach((f, i) => {
      setText(this.#items[i].sentence, f.sentence);
      setText(this.#items[i].fix, f.fix);
    });
  }

  #build(key, findings) {
    this.#shown = key;
    this.#items = findings.map(f => item(f.severity));
    const of = note => this.#items.filter((_, i) => (findings[i].severity === 'info') === note).map(x => x.element), notes = of(true), grave = of(false);
    this.grave.replaceChildren(...grave);
    this.notes.replaceChildren(...notes);
    setText(this.count, notes.length === 1 ? '1 note' : `${notes.length} notes`);
    this.grave.hidden = grave.length === 0;
    this.more.hidden = notes.length === 0;
    this.element.hidden = findings.length === 0;
  }
}

function item(severity) {
  const [tone, word] = tones[severity] ?? tones.info, sentence = el('span'), fix = el('p', {class: 'fix'});
  const element = el('li', {'data-tone': tone}, icon(tone ? 'warn' : 'note'), el('div', {}, el('p', {}, el('span', {class: 'hidden-label'}, `${word}: `), sentence), fix));
  return {element, sentence, fix};
}
