// The watch page.
import {$, copyLine, el, setPill, setText} from './dom.js';
import {base, linkIn, nameFrom} from './format.js';
import {Player} from './player.js';
import {control} from './controls.js';
import {showOverlay, showTiles} from './readout.js';

const stream = nameFrom(location.pathname), link = linkIn(location.pathname), root = document.documentElement, query = new URLSearchParams(location.search);
const video = $('video');

const words = {
  loading: ['Connecting', ''], playing: ['Live', 'good'], stalled: ['Waiting for data', 'warn'], offline: ['Offline', ''], error: ['Cannot play', 'bad'],
};
const posters = {
  waiting: ['Not live right now', 'The picture appears here by itself when the stream begins.'],
  ended: ['The stream has ended', 'Should it begin again, the picture appears here by itself.'],
  refused: ['A link is needed', 'This address has none that is good now. Ask for a new one.'],
  unreachable: ['The server cannot be reached', 'Trying again every second.'],
};

/** Shows the picture that the page around this frame wants while nothing is live; the server lets it through in frames only. */
function cover() {
  const address = query.get('poster') ?? '';
  if (window === window.top || !/^https?:\/\//.test(address)) return;
  const image = el('img', {class: 'cover', alt: '', src: address});
  image.addEventListener('error', () => image.remove());
  document.querySelector('.poster').prepend(image);
}

/** Keeps the last picture on a canvas, for the time in which the element has none. */
function remember() {
  const still = $('still');
  if (!video.videoWidth) return;
  still.width = video.videoWidth;
  still.height = video.videoHeight;
  still.getContext('2d').drawImage(video, 0, 0);
}

function forget() {
  $('still').width = $('still').height = 0;
}

function show(player) {
  const {state, why} = player, [text, tone] = words[state];
  root.dataset.state = state;
  setPill($('pill'), text, tone);
  setText($('announce'), text);
  const [headline, detail] = state === 'error' ? ['This stream cannot be played here', why] : posters[why] ?? posters.waiting;
  setText($('headline'), headline);
  setText($('detail'), detail);
  document.title = `${state === 'playing' ? '● ' : ''}${stream} · whipsaw`;
  if (state === 'playing') forget();
}

function share() {
  const page = `${location.origin}${base}/watch/${link}${stream}`;
  $('share').append(copyLine('This page', page), copyLine('HLS URL for other players', `${location.origin}${base}/hls/${link}${stream}/index.m3u8`));
}

function begin(player) {
  show(player);
  player.run();
}

function start() {
  setText($('name'), stream);
  $('publish').href = `${base}/publish/${stream}`;
  root.classList.toggle('embedded', window !== window.top || query.has('embed'));
  root.classList.toggle('bare', query.get('controls') === '0');
  cover();
  const player = new Player(video, stream, link, {remember, headers: query.get('counted') === '0' ? {'X-Purpose': 'preview'} : {}}), overlay = $('overlay');
  const toggle = () => {
    overlay.hidden = !overlay.hidden;
    $('stats').setAttribute('aria-pressed', String(!overlay.hidden));
    if (!overlay.hidden) showOverlay(player.stats());
  };
  // ?muted=0 asks for sound from the start; the browser may refuse, then it goes on without.
  video.muted = query.get('muted') !== '0';
  window.whipsaw = {get hls() { return player.source?.hls ?? null; }, stats: () => player.stats(), player};
  // The stage takes the form of the picture, within what leaves room for the controls.
  video.addEventListener('resize', () => {
    if (video.videoWidth) root.style.setProperty('--ratio', Math.min(2.4, Math.max(.75, video.videoWidth / video.videoHeight)));
  });
  player.addEventListener('change', () => show(player));
  control(player, toggle);
  share();
  if (navigator.mediaSession) navigator.mediaSession.metadata = new MediaMetadata({title: stream, artist: 'whipsaw'});
  setInterval(() => {
    const s = player.stats();
    showTiles(s);
    if (!overlay.hidden) showOverlay(s);
  }, 500);
  if (query.get('stats') === '1') toggle();
  if (query.get('autoplay') !== '0') return begin(player);
  root.dataset.state = 'ready'; // nothing is loaded before a click
  $('bigplay').addEventListener('click', () => begin(player), {once: true});
}

if (stream) start();
