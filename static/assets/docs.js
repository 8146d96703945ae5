// The documentation: buttons that copy, and the search on the list of topics.
import {$, copies, el, icon, setText} from './dom.js';
import {base} from './format.js';

// The texts show the addresses of a server on this machine; here they are those of the server that shows them.
const example = /http:\/\/127\.0\.0\.1:8080(?=\/(?:whip|hls|watch|publish)\/)/g;
for (const e of document.querySelectorAll('.prose code, .prose a')) {
  if (e.childElementCount === 0) setText(e, e.textContent.replace(example, location.origin + base));
}

for (const block of document.querySelectorAll('.code')) {
  const text = block.querySelector('code').textContent.trimEnd();
  block.append(copies(el('button', {type: 'button', class: 'button tiny', 'aria-label': 'Copy'}, icon('copy'), el('span', {class: 'hidden-label'}, 'Copy')), () => text));
}

// On a phone a row of a table is a block, whose cells tell by themselves what they are.
for (const table of document.querySelectorAll('.scroll table')) {
  const heads = [...table.querySelectorAll('th')].map(e => e.textContent);
  if (heads.length < 2) continue;
  for (const row of table.tBodies[0].rows) {
    [...row.cells].forEach((cell, i) => { if (i > 0 && heads[i] && heads.length > 2) cell.dataset.label = heads[i]; });
  }
  table.parentElement.classList.add('labelled');
}

const items = [...document.querySelectorAll('[data-topic]')];
let texts; // by topic: sections of {id, title, text}; fetched when somebody begins to search

/** Takes a topic's page apart at its headings. */
function sectionsOf(page) {
  const out = [{id: '', title: '', text: page.querySelector('h1').textContent + ' ' + page.querySelector('.lead').textContent}];
  for (const child of page.querySelector('.prose').children) {
    if (child.matches('h2, h3')) out.push({id: child.id, title: child.firstChild.textContent, text: ''});
    out.at(-1).text += ' ' + child.textContent;
  }
  return out.map(s => ({...s, text: s.text.toLowerCase()}));
}

async function load() {
  const pages = await Promise.all(items.map(async item => {
    const answer = await fetch(item.querySelector('a').href);
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    return [item, sectionsOf(new DOMParser().parseFromString(await answer.text(), 'text/html'))];
  }));
  return new Map(pages);
}

/** Shows the topics with all of the words, and which of their sections have them. */
function show(words) {
  let found = 0;
  for (const item of items) {
    const has = s => words.every(w => s.text.includes(w));
    const sections = texts.get(item), whole = {text: sections.map(s => s.text).join(' ')};
    item.hidden = !has(whole);
    if (!item.hidden) found++;
    const link = item.querySelector('a').getAttribute('href');
    const hits = words.length ? sections.filter(s => s.id && has(s)).slice(0, 4) : [];
    item.querySelector('.hits').replaceChildren(...hits.map(s => el('li', {}, el('a', {href: `${link}#${s.id}`}, s.title))));
  }
  for (const group of document.querySelectorAll('.topics')) group.hidden = !group.querySelector('[data-topic]:not([hidden])');
  setText($('found'), !words.length ? '' : found ? `${found} of ${items.length} topics.` : 'No topic has all of these words.');
}

async function search() {
  const words = () => $('query').value.toLowerCase().split(/\s+/).filter(Boolean);
  try {
    texts ??= load();
    texts = await texts;
    show(words());
  } catch {
    texts = undefined;
    setText($('found'), 'The server cannot be reached.');
  }
}

if ($('find')) {
  $('find').hidden = false;
  $('query').addEventListener('input', search);
}
