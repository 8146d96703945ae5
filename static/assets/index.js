// The list of streams, asked for once a second while somebody looks at it.
import {$, copyLine, setText} from './dom.js';
import {base, validName} from './format.js';
import {Card} from './card.js';
import * as gallery from './gallery.js';

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
  $('publish-here').href = `${base}/publish/${name}?preview=1`;
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
    if (!names.has(name)) { gallery.take(card); card.element.remove(); cards.delete(name); }
  }
  streams.forEach((status, i) => {
    let card = cards.get(status.name);
    const known = Boolean(card);
    if (!known) cards.set(status.name, card = new Card(status.name, showObs));
    card.update(status);
    if (!known) gallery.hang(card);
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

// The server may ask for a token before it tells what is live; the publish page keeps its own in the same place.
const kept = 'whipsaw-token';
let again = () => {}; // ends the wait for the next look
$('locked').addEventListener('submit', event => {
  event.preventDefault();
  sessionStorage.setItem(kept, $('token').value.trim());
  again();
});

function lock(problem) {
  show([]);
  setText($('title'), 'Streams for invited viewers');
  setText($('lead'), sessionStorage.getItem(kept) ? problem.detail ?? 'This token does not show any streams.' : 'A token shows what you may watch. With a link that you were given you need none.');
  $('locked').hidden = false;
  $('trouble').hidden = true;
  document.documentElement.dataset.state = 'locked';
}

async function refresh() {
  try {
    const token = sessionStorage.getItem(kept), headers = token ? {Authorization: `Bearer ${token}`} : {};
    const response = await fetch(`${base}/api/streams`, {cache: 'no-store', headers, signal: AbortSignal.timeout(5000)});
    if ([401, 403, 429].includes(response.status)) return lock(await response.json());
    if (!response.ok) throw new Error(`status ${response.status}`);
    show((await response.json()).streams ?? []);
    $('locked').hidden = true;
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
    // Who is locked out stays so until there is another token.
    await new Promise(done => { again = done; if (document.documentElement.dataset.state !== 'locked') setTimeout(done, every); });
    while (document.hidden) await new Promise(done => document.addEventListener('visibilitychange', done, {once: true}));
  }
}
run();
gallery.run(() => cards.values());
