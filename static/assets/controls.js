// The buttons, sliders and keys of the player.
import {$, setIcon, setText} from './dom.js';

const rest = 2500; // ms without a move of the pointer until the controls fade

function label(button, text, iconName) {
  button.setAttribute('aria-label', text);
  setIcon(button, iconName);
}

/** Wires the controls of the page to a Player. toggleStats shows or hides the statistics. */
export function control(player, toggleStats) {
  const {video} = player, stage = $('stage');
  const act = {
    play: () => video.paused ? player.play() : player.pause(),
    mute: () => { video.muted = !video.muted; if (!video.muted && video.volume === 0) video.volume = 1; },
    live: () => player.goLive(),
    stats: toggleStats,
    full: () => fullscreen(stage, video),
    pip: () => document.pictureInPictureElement ? document.exitPictureInPicture() : video.requestPictureInPicture?.().catch(() => {}),
    back: () => player.seek(video.currentTime - 5),
    forward: () => player.seek(video.currentTime + 5),
  };
  for (const id of ['play', 'mute', 'live', 'stats', 'full', 'pip']) $(id).addEventListener('click', act[id]);
  $('bigplay').addEventListener('click', () => { player.goLive(); });
  $('unmute').addEventListener('click', () => { act.mute(); $('mute').focus({preventScroll: true}); });
  $('pip').hidden = !document.pictureInPictureEnabled;
  $('volume').addEventListener('input', () => { video.volume = +$('volume').value; video.muted = video.volume === 0; });
  $('seek').addEventListener('input', () => { const r = player.range; if (r) player.seek(r[0] + (r[1] - r[0]) * $('seek').value); });
  keys(act);
  fade(stage, video, act);
  reflect(player, stage);
  mediaSession(act, video);
}

function fullscreen(stage, video) {
  if (document.fullscreenElement) return document.exitFullscreen();
  if (stage.requestFullscreen) return stage.requestFullscreen().catch(() => {});
  return video.webkitEnterFullscreen?.(); // iPhone: the picture alone
}

function keys(act) {
  const of = {s: 'stats', m: 'mute', f: 'full', l: 'live', p: 'pip', k: 'play', ' ': 'play', arrowleft: 'back', arrowright: 'forward'};
  document.addEventListener('keydown', event => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest('select, textarea, dialog')) return;
    const key = event.key.toLowerCase();
    // Space on a button is the button's, arrows on a slider are the slider's.
    if (key === ' ' && event.target.closest('button, a') || key.startsWith('arrow') && event.target.closest('input')) return;
    const name = of[key];
    if (!name) return;
    event.preventDefault();
    if (!event.repeat || name === 'back' || name === 'forward') act[name]();
  });
}

/** Hides the controls while the picture plays and nobody reaches for them. */
function fade(stage, video, act) {
  let timer;
  const wake = () => {
    stage.classList.remove('idle');
    clearTimeout(timer);
    timer = setTimeout(() => { if (!video.paused && !$('controls').matches(':hover')) stage.classList.add('idle'); }, rest);
  };
  for (const type of ['pointermove', 'pointerdown', 'focusin', 'keydown']) stage.addEventListener(type, wake);
  stage.addEventListener('pointerleave', event => { if (event.pointerType === 'mouse' && !video.paused) stage.classList.add('idle'); });
  video.addEventListener('pause', wake);
  video.addEventListener('click', event => { if (event.pointerType === 'mouse') act.play(); });
  video.addEventListener('dblclick', act.full);
  wake();
}

/** Shows what the element does, whoever made it do so. */
function reflect(player, stage) {
  const {video} = player;
  const sound = () => {
    const silent = video.muted || video.volume === 0;
    label($('mute'), silent ? 'Turn sound on' : 'Turn sound off', silent ? 'muted' : 'sound');
    $('volume').value = silent ? 0 : video.volume;
    $('unmute').hidden = !video.muted;
  };
  const running = () => {
    label($('play'), video.paused ? 'Play' : 'Pause', video.paused ? 'play' : 'pause');
    document.documentElement.toggleAttribute('data-paused', video.paused);
  };
  video.addEventListener('volumechange', sound);
  for (const type of ['play', 'pause', 'emptied', 'playing']) video.addEventListener(type, running);
  document.addEventListener('fullscreenchange', () => {
    const on = document.fullscreenElement === stage;
    label($('full'), on ? 'Leave full screen' : 'Full screen', on ? 'unfull' : 'full');
  });
  setInterval(() => position(player), 250);
  sound();
  running();
}

function position(player) {
  const range = player.range, {video} = player;
  const behind = range ? Math.max(0, range[1] - video.currentTime) : 0, atEdge = player.follow && behind < 3 || behind < 1;
  $('live').setAttribute('aria-pressed', String(atEdge));
  setText($('live-text'), atEdge ? 'Live' : `${Math.round(behind)} s behind`);
  const seek = $('seek'), span = range ? range[1] - range[0] : 0;
  seek.disabled = span < 2;
  seek.setAttribute('aria-valuetext', atEdge ? 'live' : `${Math.round(behind)} seconds behind`);
  if (document.activeElement !== seek || !seek.matches(':active')) seek.value = span > 0 && !atEdge ? (video.currentTime - range[0]) / span : 1;
}

function mediaSession(act, video) {
  if (!navigator.mediaSession) return;
  navigator.mediaSession.setActionHandler('play', () => { if (video.paused) act.play(); });
  navigator.mediaSession.setActionHandler('pause', () => { if (!video.paused) act.play(); });
  navigator.mediaSession.setActionHandler('seekbackward', act.back);
  navigator.mediaSession.setActionHandler('seekforward', act.forward);
}
