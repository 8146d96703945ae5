// One card of the list: a stream as the API reports it.
import {el, icon, copies, facts, setPill, setText} from './dom.js';
import {agent, base, bitrate, codec, ending, linkIn, picture, since} from './format.js';

const states = {live: ['Live', 'good'], resuming: ['Publisher lost', 'warn'], waiting: ['Starting', 'warn'], ended: ['Ended', '']};
const points = 60, width = 100; // of the bitrate's line: a minute, and its own units

/** Card keeps its elements between updates, so that focus and selection survive. */
export class Card {
  #rates = [];

  constructor(name, showObs) {
    this.name = name;
    this.pill = el('span', {class: 'pill'});
    this.facts = el('dl', {class: 'facts'});
    this.advice = el('span');
    this.notice = el('p', {class: 'notice', hidden: true}, icon('warn'), this.advice);
    this.watch = el('a', {class: 'button primary'}, icon('play'), 'Watch');
    this.title = el('a', {}, name);
    this.spark = spark();
    const copying = (label, path) => copies(
      el('button', {type: 'button', class: 'button tiny quiet', 'aria-label': `Copy the ${label} URL of ${name}`}, icon('copy'), el('span', {}, `${label} URL`)),
      () => new URL(path(), location.origin).href);
    this.element = el('li', {class: 'panel card', 'data-stream': name},
      el('div', {class: 'split'}, el('h2', {}, this.title), this.pill),
      this.spark, this.facts, this.notice,
      this.watch,
      el('div', {class: 'actions'},
        copying('HLS', () => this.status.hls), copying('WHIP', () => this.status.whip),
        el('button', {type: 'button', class: 'button tiny quiet', 'aria-label': `OBS settings for ${name}`, onclick: () => showObs(this.status)}, icon('gear'), 'OBS')));
  }

  /** Shows a Status of GET /api/streams. */
  update(status) {
    this.status = status;
    const {video, audio, publisher, state, last_end: end} = status;
    setPill(this.pill, ...(states[state] ?? [state, '']));
    const page = `${base}/watch/${linkIn(status.hls)}${this.name}`;
    for (const a of [this.watch, this.title]) { if (a.getAttribute('href') !== page) a.href = page; }
    this.watch.classList.toggle('primary', state !== 'ended');
    facts(this.facts, [
      ['Picture', video && picture(video.width, video.height, video.frame_rate)],
      ['Video', video && `${codec(video.codec)}, ${bitrate(video.bitrate)}`],
      ['Sound', audio ? `${audio.codec} ${channels(audio.channels)}, ${bitrate(audio.bitrate)}` : video && 'none'],
      ['Publisher', publisher ? `${agent(publisher.user_agent)}, for ${since(publisher.since)}` : end && `gone for ${since(end.at)}: ${ending(end.reason)}`],
    ]);
    const advice = advise(status);
    setText(this.advice, advice);
    this.notice.hidden = !advice;
    this.#rates = [...this.#rates, (video?.bitrate ?? 0) + (audio?.bitrate ?? 0)].slice(-points);
    draw(this.spark, state === 'live' ? this.#rates : []);
  }
}

const channels = n => ['', 'mono', 'stereo'][n] ?? `${n} channels`;

/** What would make this stream better, in one sentence; empty when all is well. */
export function advise({state, video}) {
  if (state !== 'live' || !video) return '';
  if (video.gop > 2.6 && !video.obeys_pli) return `A keyframe comes only every ${video.gop.toFixed(1)} s. Set the encoder's keyframe interval to 2 s.`;
  const {lost = 0, packets = 0} = video;
  if (packets > 1000 && lost / packets > .01) return `${(100 * lost / packets).toFixed(1)} % of the video packets are lost on the way here.`;
  return '';
}

function spark() {
  const ns = 'http://www.w3.org/2000/svg';
  const s = document.createElementNS(ns, 'svg'), area = document.createElementNS(ns, 'polygon'), line = document.createElementNS(ns, 'polyline');
  s.setAttribute('class', 'spark');
  s.setAttribute('viewBox', `0 0 ${width} 20`);
  s.setAttribute('preserveAspectRatio', 'none');
  s.setAttribute('aria-hidden', 'true');
  area.setAttribute('class', 'area');
  line.setAttribute('vector-effect', 'non-scaling-stroke');
  s.append(area, line);
  return s;
}

function draw(s, rates) {
  s.toggleAttribute('hidden', rates.length < 2);
  if (rates.length < 2) return;
  const top = Math.max(...rates) * 1.15 || 1, step = width / (rates.length - 1);
  const line = rates.map((r, i) => `${(i * step).toFixed(2)},${(19 - 18 * r / top).toFixed(2)}`).join(' ');
  s.lastChild.setAttribute('points', line);
  s.firstChild.setAttribute('points', `0,20 ${line} ${width},20`);
}
