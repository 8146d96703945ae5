// One card of the list: a stream as the API reports it.
import {el, icon, copies, facts, setPill, setText} from './dom.js';
import {agent, base, bitrate, codec, ending, linkIn, milliseconds, picture, seconds, since} from './format.js';
import {Findings} from './findings.js';
import {Trace} from './trace.js';

const states = {live: ['Live', 'good'], resuming: ['Publisher lost', 'warn'], waiting: ['Starting', 'warn'], ended: ['Ended', '']};

/** Card keeps its elements between updates, so that focus and selection survive. */
export class Card {
  #before = {}; // the histograms of the last update

  constructor(name, showObs) {
    this.name = name;
    this.pill = el('span', {class: 'pill'});
    this.facts = el('dl', {class: 'facts'});
    this.findings = new Findings();
    this.rate = new Trace('Bitrate');
    this.late = new Trace('Latency');
    this.still = {canvas: el('canvas', {width: 16, height: 9, 'aria-hidden': 'true'}), due: 0};
    this.shot = el('a', {class: 'shot', tabindex: '-1', 'aria-hidden': 'true'}, this.still.canvas, icon('play'));
    this.watch = el('a', {class: 'button primary'}, icon('play'), 'Watch');
    this.title = el('a', {}, name);
    const copying = (label, path) => copies(
      el('button', {type: 'button', class: 'button tiny quiet', 'aria-label': `Copy the ${label} URL of ${name}`}, icon('copy'), el('span', {}, `${label} URL`)),
      () => new URL(path(), location.origin).href);
    this.element = el('li', {class: 'panel card', 'data-stream': name}, this.shot,
      el('div', {class: 'split'}, el('h2', {}, this.title), this.pill),
      this.facts, el('dl', {class: 'traces'}, this.rate.element, this.late.element), this.findings.element,
      this.watch,
      el('div', {class: 'actions'},
        copying('HLS', () => this.status.hls), copying('WHIP', () => this.status.whip),
        el('button', {type: 'button', class: 'button tiny quiet', 'aria-label': `OBS settings for ${name}`, onclick: () => showObs(this.status)}, icon('gear'), 'OBS')));
  }

  /** Whether there are pictures to paint a still of. */
  get pictured() { return this.status.state === 'live' && this.status.video?.width > 0; }

  /** Where the stream is played from, on this server: what the API tells may be another address of it. */
  get index() { return `${base}/hls/${linkIn(this.status.hls)}${this.name}/index.m3u8`; }

  /** Shows a Stream of GET /api/streams. */
  update(status) {
    if (status.generation !== this.status?.generation) this.still.due = 0;
    this.status = status;
    const {video, audio, publisher, state, viewers, last_end: end} = status, live = state === 'live';
    setPill(this.pill, ...(states[state] ?? [state, '']));
    this.element.dataset.state = state;
    const page = `${base}/watch/${linkIn(status.hls)}${this.name}`;
    for (const a of [this.watch, this.title, this.shot]) { if (a.getAttribute('href') !== page) a.href = page; }
    this.watch.classList.toggle('primary', state !== 'ended');
    facts(this.facts, [
      ['Picture', video && picture(video.width, video.height, video.frame_rate)],
      ['Codecs', (video || audio) && [video && codec(video.codec), audio && `${audio.codec} ${channels(audio.channels)}`].filter(Boolean).join(', ')],
      ['Viewers', viewers && (viewers.players ? `about ${viewers.players} (an estimate)` : 'none')],
      ['Publisher', publisher ? `${agent(publisher.user_agent)}, for ${since(publisher.since)}` : end && `gone for ${since(end.at)}: ${ending(end.reason)}`],
    ]);
    this.findings.update(status.findings);
    const rate = (video?.bitrate ?? 0) + (audio?.bitrate ?? 0);
    this.rate.add(live ? rate : NaN, live ? bitrate(rate) : '–');
    this.#showLatency(status, live);
  }

  /** What viewers see, where players tell it; else what the server adds, from a part's last packet to its publication. */
  #showLatency({playback, delay}, live) {
    const seen = mean(this.#before.latency, playback?.latency), added = mean(this.#before.delay, delay);
    this.#before = {latency: playback?.latency, delay};
    if (Number.isFinite(seen)) this.heard = performance.now();
    const told = performance.now() - this.heard < 10_000;
    this.late.rename(told ? 'Latency for viewers' : 'Latency in the server');
    const value = told ? seen : added;
    if (!live) return this.late.add(NaN, '–');
    if (Number.isFinite(value)) this.late.add(value, told ? seconds(value) : milliseconds(1000 * value));
  }
}

const channels = n => ['', 'mono', 'stereo'][n] ?? `${n} channels`;

const count = h => h.counts.reduce((sum, n) => sum + n, 0);

/** The mean of what came into a histogram between two looks at it; NaN where nothing did. Pure. */
export function mean(before, now) {
  if (!now) return NaN;
  const n = count(now) - (before ? count(before) : 0), sum = now.sum - (before?.sum ?? 0);
  return n > 0 && sum >= 0 ? sum / n : NaN;
}
