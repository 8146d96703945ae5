// The publish page.
import {$, copyLine, el, setIcon, setPill, setText} from './dom.js';
import {base, bitrate, frameRate, milliseconds, nameFrom, picture} from './format.js';
import {Findings} from './findings.js';
import {watchPage} from './link.js';
import {Report} from './report.js';
import {devices, open} from './sources.js';
import {meter} from './sound.js';
import {Uplink, measure} from './uplink.js';

const stream = nameFrom(location.pathname), root = document.documentElement, query = new URLSearchParams(location.search);
const uplink = new Uplink(), form = $('form');
let source = null, level = null, sample = null, opening = null, awake = null, watching = 0;

const kinds = {
  camera: {icon: 'camera', empty: 'Your camera is off.', open: 'Turn on the camera'},
  screen: {icon: 'screen', empty: 'Nothing is shared yet.', open: 'Choose what to share', sound: 'Sound of the screen'},
  both: {icon: 'both', empty: 'Your screen, and you in its corner.', open: 'Choose what to share', sound: 'Sound of the screen'},
  canvas: {icon: 'pattern', empty: 'A moving picture with a clock and a tone.', open: 'Show the test picture', sound: 'Tone'},
};
const pills = {idle: ['Not publishing', ''], connecting: ['Connecting', 'warn'], live: ['Live', 'good'], error: ['Stopped', 'bad']};
const limits = {none: 'nothing', cpu: 'this computer', bandwidth: 'the network', other: 'the browser'};
const page = copyLine('Page to watch', '');
const findings = new Findings(), report = new Report(stream, told);
const kind = () => form.elements.source.value;

function settings() {
  const [width, height] = $('size').value.split('x').map(Number);
  return {width, height, fps: +$('fps').value, camera: $('camera').value, mic: $('mic').value, sound: $('sound').checked, name: stream};
}

const bounds = () => ({bitrate: 1000 * $('kbps').value, fps: +$('fps').value});

function trouble(text = '') {
  setText($('trouble-text'), text);
  $('trouble').hidden = !text;
}

/** Opens the chosen source, once at a time; the one before goes on until the new one is there. */
async function openSource() {
  if (opening) return opening;
  opening = (async () => {
    trouble();
    const next = await open(kind(), settings()), before = source;
    source = next;
    next.ending?.addEventListener('ended', () => { if (source === next) lostSource(); });
    $('preview').srcObject = new MediaStream([next.video]);
    listen(next.audio);
    await uplink.change({media: next, ...bounds()});
    before?.stop();
    showState();
    await listDevices();
  })();
  try {
    await opening;
    return true;
  } catch (error) {
    trouble(error.message);
    return false;
  } finally {
    opening = null;
  }
}

function closeSource() {
  source?.stop();
  source = null;
  $('preview').srcObject = null;
  listen(null);
  showState();
}

/** The person ended the share, or pulled the camera's plug. */
async function lostSource() {
  const live = uplink.state !== 'idle';
  closeSource();
  await uplink.stop();
  if (live) trouble('The source has ended, and with it the stream.');
}

function listen(track) {
  level?.stop();
  level = track ? meter(track) : null;
  $('level-field').hidden = !track;
}

async function listDevices() {
  for (const [id, type] of [['camera', 'videoinput'], ['mic', 'audioinput']]) {
    const select = $(id), chosen = select.value, found = await devices(type);
    for (const option of [...select.options]) { if (option.value && option.value !== 'none') option.remove(); }
    select.options[0].after(...found.map(d => new Option(d.label, d.deviceId)));
    if ([...select.options].some(o => o.value === chosen)) select.value = chosen;
  }
}

function showForm() {
  const k = kinds[kind()], busy = uplink.state === 'live' || uplink.state === 'connecting';
  $('camera-field').hidden = !['camera', 'both'].includes(kind());
  $('mic-field').hidden = kind() === 'canvas';
  $('sound-field').hidden = !k.sound;
  setText($('sound-text'), k.sound ?? '');
  $('empty').hidden = Boolean(source);
  setIcon($('empty'), k.icon);
  setText($('empty-text'), k.empty);
  setText($('open'), k.open);
  $('token').disabled = busy;
  $('go').classList.toggle('primary', !busy);
  $('go').classList.toggle('stop', busy);
  setText($('go'), busy ? 'Stop' : 'Go live');
}

/** Viewers may need a signed link, which the token of a running session gives. */
async function showPage() {
  const path = await watchPage(stream, uplink.state === 'live' ? $('token').value.trim() : '');
  $('watch').href = path;
  page.set(location.origin + path);
  mirror();
}

/** Shows the player beside the preview: what viewers see is what counts. A phone has better things to do. */
function mirror() {
  const seen = $('seen'), frame = seen.querySelector('iframe'), on = uplink.state === 'live' && $('mirror').checked, path = $('watch').getAttribute('href');
  seen.hidden = !on;
  if (!on) return frame?.remove();
  const src = `${path}?embed=1&controls=0&counted=0`;
  if (frame?.getAttribute('src') === src) return;
  frame?.remove();
  seen.prepend(el('iframe', {src, title: 'What viewers see', allow: 'autoplay'}));
}

/** Takes what the server says of the stream; null: nothing. */
function told(status) {
  findings.update(status?.findings ?? []);
  watching = status?.viewers?.players ?? 0;
  showStatus();
}

function showStatus() {
  const {state, words} = uplink, idle = source ? 'This is what viewers will see.' : 'Choose a source, then go live.';
  const live = watching > 0 ? `You are live, for about ${watching} ${watching === 1 ? 'viewer' : 'viewers'} (an estimate).` : 'You are live. Viewers see you about a second later.';
  setText($('status'), state === 'live' ? live : state === 'connecting' ? words : idle);
}

/** What to do about a refusal, for the person at this page: the server's words are for all kinds of publishers. */
function advice(words) {
  if (uplink.status !== 401) return words;
  return $('token').value.trim() ? `${words} Check the publish token, then go live again.` : 'This server wants a publish token: fill it in, then go live again.';
}

function showState() {
  const {state, words} = uplink;
  const begins = state === 'live' && root.dataset.state !== 'live', ends = state !== 'live' && root.dataset.state === 'live';
  root.dataset.state = state;
  setPill($('pill'), ...pills[state]);
  trouble(state === 'error' ? advice(words) : '');
  showStatus();
  document.title = `${state === 'live' ? '● ' : ''}Publish ${stream} · whipsaw`;
  if (state !== 'live') { sample = null; showNumbers(null); }
  showForm();
  stayAwake(state === 'live');
  if (begins) { showPage(); report.start($('token').value.trim()); }
  if (ends) { report.stop(); mirror(); }
  const refused = state === 'error' && uplink.status === 401;
  $('token').setAttribute('aria-invalid', String(refused));
  if (refused) $('token').focus();
}

/** A phone must not go to sleep while it is a camera. */
async function stayAwake(on) {
  try {
    if (on && !awake) awake = await navigator.wakeLock?.request('screen');
    if (!on && awake) { awake.release(); awake = null; }
  } catch {
    awake = null; // the page is out of sight, or the battery is low
  }
}

function showNumbers(s) {
  setText($('t-bitrate'), bitrate(s?.bitrate));
  setText($('t-picture'), picture(s?.width, s?.height));
  setText($('t-rate'), s?.fps > 0 ? frameRate(Math.round(s.fps)) : '–');
  setText($('t-rtt'), milliseconds(s?.rtt));
  setText($('t-lost'), s ? String(s.lost) : '–');
  setText($('t-limit'), s ? limits[s.limit] ?? 'nothing' : '–');
}

async function goOrStop() {
  if (uplink.state === 'live' || uplink.state === 'connecting') return uplink.stop();
  if (!source && !await openSource()) return;
  const token = $('token').value.trim();
  sessionStorage.setItem('whipsaw-token', token);
  return uplink.start({endpoint: `${base}/whip/${stream}`, token, media: source, ...bounds()});
}

/** A change of what is sent takes effect at once, also while live. */
function changed(event) {
  if (event.target.name === 'source' && uplink.state === 'idle') closeSource();
  showForm();
  if (event.target.id === 'kbps') return uplink.change(bounds());
  if (!['token', 'mirror'].includes(event.target.id) && (source || uplink.state === 'live')) return openSource();
}

/** ?source=canvas&size=640x360&fps=30&kbps=800&mirror=0 choose; values that are not offered are added. */
function preset() {
  const wanted = query.get('source');
  if (wanted in kinds) form.elements.source.value = wanted;
  for (const [id, rule] of [['size', /^\d{2,4}x\d{2,4}$/], ['fps', /^\d{1,2}$/], ['kbps', /^\d{2,5}$/]]) {
    const value = query.get(id);
    if (!value || !rule.test(value)) continue;
    if (![...$(id).options].some(o => o.value === value)) $(id).add(new Option(value, value));
    $(id).value = value;
  }
  $('mirror').checked = query.has('mirror') ? query.get('mirror') !== '0' : matchMedia('(min-width: 60.01rem)').matches;
  $('token').value = sessionStorage.getItem('whipsaw-token') ?? '';
}

function stats() {
  const {state, words, attempts, sessions} = uplink, s = sample ?? {};
  return {state, words, attempts, sessions, source: kind(), bitrate: s.bitrate, frames: s.frames, frameRate: s.fps, width: s.width, height: s.height, rtt: s.rtt, lost: s.lost, limit: s.limit, level: level?.level() ?? 0};
}

function wire() {
  form.addEventListener('submit', event => { event.preventDefault(); goOrStop(); });
  form.addEventListener('change', changed);
  $('open').addEventListener('click', openSource);
  $('reveal').addEventListener('click', () => {
    const shown = $('token').type === 'password';
    $('token').type = shown ? 'text' : 'password';
    $('reveal').setAttribute('aria-pressed', String(shown));
  });
  $('mirror').addEventListener('change', mirror);
  uplink.addEventListener('change', showState);
  navigator.mediaDevices?.addEventListener('devicechange', listDevices);
  document.addEventListener('visibilitychange', () => { if (awake?.released) awake = null; if (!document.hidden) stayAwake(uplink.state === 'live'); });
  // DELETE goes out while the page goes away; coming back from the history begins idle.
  addEventListener('pagehide', () => { uplink.stop(); closeSource(); });
  setInterval(async () => {
    const {session} = uplink;
    if (uplink.state !== 'live' || !session) return;
    sample = await measure(session, sample);
    if (uplink.state === 'live') showNumbers(sample);
  }, 1000);
  setInterval(() => { if (level && !document.hidden) $('level').value = level.level(); }, 100);
}

function start() {
  setText($('name'), stream);
  $('links').append(page);
  $('findings').append(findings.element);
  showPage();
  window.whipsaw = {uplink, stats, start: goOrStop, stop: () => uplink.stop()};
  preset();
  wire();
  showState();
  listDevices();
  if (query.get('autostart') === '1') goOrStop();
  else if (query.get('preview') === '1') openSource();
}

if (stream) start();
