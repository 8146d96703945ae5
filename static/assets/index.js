// The list of streams, asked for once a second while somebody looks at it.
import {$, copyLine, setText} from './dom.js';
import {base, validName} from './format.js';
import {Card} from './card.js';

const every = 1000; // ms
const cards = new Map(); // by name of the stream
const command = name => `whipsaw publish --demo ${location.origin}${base}/whip/${name}`;

const lines = {
  server: copyLine('Server', ''), clip: copyLine('Command', ''),
  dialogServer: copyLine('Server', ''),
};
$('obs-lines').append(lines.server);
$('clip-lines').append(lines.clip);
$('obs-dialog-lines').append(lines.dialogServer);

function nameStreams() {
  const name = $('name').value;
  if (!validName(name)) return;
  lines.server.set(`${location.origin}${base}/whip/${name}`);
  lines.clip.set(command(name));
  $('publish-here').href = `${base}/publish/${name}`;
}
$('name').addEventListener('input', nameStreams);
$('publish-here').addEventListener('click', event => { if (!$('name').reportValidity()) event.preventDefault(); });
nameStreams();

function showObs(status) {
  lines.dialogServer.set(new URL(status.whip, location.origin).href);
  $('obs').showModal();
}

const order = {live: 0, resuming: 1, waiting: 2, ended: 3};

function show(streams) {
  streams.sort((a, b) => (order[a.state] ?? 9) - (order[b.state] ?? 9) || a.name.localeCompare(b.name));
  const names = new Set(streams.map(s => s.name));
  for (const [name, card] of cards) {
    if (!names.has(name)) { card.element.remove(); cards.delete(name); }
  }
  streams.forEach((status, i) => {
    let card = cards.get(status.name);
    if (!card) cards.set(status.name, card = new Card(status.name, showObs));
    card.update(status);
    const at = $('cards').children[i];
    if (at !== card.element) $('cards').insertBefore(card.element, at ?? null);
  });
  const live = streams.filter(s => s.state === 'live').length, empty = streams.length === 0;
  setText($('title'), empty ? 'No streams yet' : 'Live streams');
  setText($('lead'), empty ? 'Publish the first one. It is on this page the moment it arrives.' : `${live || 'None'} live${streams.length > live ? `, ${streams.length - live} waiting or ended` : ''}.`);
  $('start').hidden = false;
  $('start').classList.toggle('first', empty);
  setText($('start-title'), empty ? 'Three ways to begin' : 'Publish another stream');
}

async function refresh() {
  try {
    const response = await fetch(`${base}/api/streams`, {cache: 'no-store', signal: AbortSignal.timeout(5000)});
    if (!response.ok) throw new Error(`status ${response.status}`);
    show((await response.json()).streams ?? []);
    $('trouble').hidden = true;
    document.documentElement.dataset.state = 'ready';
  } catch {
    $('trouble').hidden = false;
    document.documentElement.dataset.state = 'unreachable';
  }
}

async function run() {
  for (;;) {
    await refresh();
    await new Promise(done => setTimeout(done, every));
    while (document.hidden) await new Promise(done => document.addEventListener('visibilitychange', done, {once: true}));
  }
}
run();
