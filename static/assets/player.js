// The player that never gives up: it waits for the stream, plays a generation, moves on to the next.
import {HlsSource, generationOf, kindsIn, supported as hlsSupported} from './hlssource.js';
import {NativeSource, supported as nativeSupported} from './nativesource.js';
import {base} from './format.js';
import {mayLeap, pace, tooFar} from './pace.js';

const poll = 1000;       // ms between questions while the stream is offline; none is asked while it plays
const lateTrack = 5000;  // ms between looks for a second track, while there is only one
const startLimit = 15;   // s to a first picture, then another try
const stallLimit = 12;   // s without progress, then another try
const leapTime = 2500;   // ms after the first picture in which it may leap to the edge
const endLimit = 800;    // ms with nothing left to play after ENDLIST, then that was the end
const jumpLimit = 4;     // s without progress, then a jump to the edge
const napLimit = 8;      // s that this computer slept, then another try: what was loaded is past

const sleep = ms => new Promise(done => setTimeout(done, ms));

/**
 * Player keeps one video element at the live edge of one stream. It fires 'change' when state, message or the
 * generation change. States: offline, loading, playing, stalled, error.
 */
export class Player extends EventTarget {
  state = 'loading';
  why = '';         // offline: waiting, ended, refused or unreachable; error: words
  follow = true;    // the viewer wants to be live
  stalls = 0;
  generations = 0;
  startup = NaN;    // ms from opening the page to the first picture
  source = null;
  #finished = null; // the generation that is over or cannot be played
  #shown = null;    // the generation of the last picture
  #fatal = 0;
  #errors = [];
  #useNative = false;
  #moved = {time: -1, at: 0};  // when the picture last moved, and where it was
  #fed = {end: -1, at: 0};     // when data last came, and up to where
  #dry = 0;                    // when there last was something left to play, after the end
  #tick = 0;                   // when #watch ran last, where the picture was, and whether it was to move
  #seen = 0;
  #ran = false;
  #shownBefore = false;        // whether it played when the page went out of sight
  #rate = {frames: 0, at: 0, value: NaN};

  /** link is nothing, or the ~EXPIRES~SIGNATURE/ that stands before the stream's name. */
  constructor(video, stream, link, {remember = () => {}, headers = {}} = {}) {
    super();
    this.headers = headers; // of requests for playlists
    this.video = video;
    this.url = `${base}/hls/${link}${stream}/index.m3u8`;
    this.remember = remember; // keeps the last picture before the element loses it
    video.addEventListener('playing', () => this.#playing());
    video.addEventListener('waiting', () => this.#waiting());
    // Browsers pause what is out of sight, and not all of them take it up again.
    document.addEventListener('visibilitychange', () => {
      if (document.hidden) this.#shownBefore = !video.paused;
      else if (this.#shownBefore && this.follow) this.goLive();
    });
    // A jump leaves some browsers waiting without a word when it is over.
    video.addEventListener('timeupdate', () => { if (this.state === 'stalled' && video.readyState > 2) this.#playing(); });
  }

  /** Runs until the page closes. */
  async run() {
    this.#useNative = !hlsSupported();
    if (this.#useNative && !nativeSupported(this.video)) return this.#set('error', 'This browser plays neither Media Source Extensions nor HLS. Try a newer one.');
    setInterval(() => this.#watch(), 250);
    setInterval(() => this.#lookForTracks(), lateTrack);
    // hls.js asks for the index itself: there is no need to ask before it the first time.
    let generation = this.#useNative ? await this.#available() : null;
    for (;;) {
      const begun = performance.now(), outcome = await this.#play(generation);
      this.#after(outcome);
      if (outcome.reason === 'lost') await sleep(Math.max(0, poll - (performance.now() - begun)));
      generation = await this.#available();
    }
  }

  /** Plays one generation to its end. */
  async #play(generation) {
    this.#moved = {time: -1, at: performance.now()};
    this.#fed = {end: -1, at: performance.now()};
    if (this.state !== 'stalled') this.#set('loading');
    const source = this.source = this.#useNative ? new NativeSource(this.video, this.url, generation) : new HlsSource(this.video, this.url, this.#finished, this.headers);
    this.play();
    const outcome = await source.done;
    this.remember(this.video);
    this.#fatal += source.fatal;
    this.#errors = [...this.#errors, ...source.errors].slice(-20);
    this.source = null;
    source.close();
    return {...outcome, generation: outcome.generation ?? generation};
  }

  #after({reason, generation, message}) {
    this.follow = true;
    switch (reason) {
      case 'ended': this.#finished = generation; return this.#set('offline', 'ended');
      case 'absent': return this.#set('offline', 'waiting');
      case 'unplayable':
        if (!this.#useNative && nativeSupported(this.video)) { this.#useNative = true; return this.#set('loading'); }
        this.#finished = generation;
        return this.#set('error', message);
      default: return this.#set(this.generations > 0 ? 'stalled' : 'loading', message);
    }
  }

  /** Resolves to the generation that is there to be played, other than the one that is over. */
  async #available() {
    for (let failures = 0; ; await sleep(poll)) {
      try {
        const response = await fetch(this.url, {cache: 'no-store', signal: AbortSignal.timeout(5000)});
        const text = await response.text(); // also of a refusal: an unread body keeps its connection
        failures = 0;
        if (response.ok) {
          const generation = generationIn(text, this.url);
          if (generation !== this.#finished) return generation;
          if (this.state === 'error') continue;
        }
        if (response.status === 403) { this.#set('offline', 'refused'); continue; }
        this.#set('offline', this.#finished && response.ok ? 'ended' : this.why === 'ended' ? 'ended' : 'waiting');
      } catch {
        if (++failures > 1) this.#set('offline', 'unreachable');
      }
    }
  }

  /** A track that came after the others is in the index only: begin anew with it. */
  async #lookForTracks() {
    const {source} = this;
    if (this.state !== 'playing' || !source?.partial) return;
    try {
      const response = await fetch(this.url, {cache: 'no-store', signal: AbortSignal.timeout(5000)});
      const text = await response.text();
      if (response.ok && kindsIn(text) > 1 && this.source === source) source.lose('another track has come');
    } catch {
      // The next look may succeed; what plays goes on.
    }
  }

  #playing() {
    if (!this.source) return;
    if (!this.source.begun) {
      this.source.begun = performance.now();
      if (this.#shown !== this.source.generation || this.#shown === null) this.generations++;
      this.#shown = this.source.generation;
    }
    if (Number.isNaN(this.startup)) this.startup = performance.now();
    this.#set('playing');
  }

  #waiting() {
    if (this.state !== 'playing' || this.video.seeking || this.video.paused || !this.source || this.source.ending) return;
    this.stalls++;
    this.source.starved = true;
    this.#set('stalled');
  }

  /** For how many seconds nothing ran here, or 0. In a page out of sight timers are rare, and the picture goes on. */
  #slept(now) {
    const gap = this.#tick > 0 ? (now - this.#tick) / 1000 : 0, went = this.video.currentTime - this.#seen;
    this.#tick = now;
    this.#seen = this.video.currentTime;
    this.#ran = !this.video.paused;
    return gap > 5 && went < gap / 2 ? gap : 0;
  }

  /** Four times a second: keeps the pace, and looks for a player that stands still. */
  #watch() {
    const {video, source} = this, now = performance.now(), ran = this.#ran, slept = this.#slept(now);
    if (!source) return;
    if (slept > napLimit && ran && this.follow) return source.lose('this computer slept');
    const {buffered} = video, end = buffered.length ? buffered.end(buffered.length - 1) : 0, waits = video.paused && this.generations > 0;
    if (video.currentTime !== this.#moved.time || waits) this.#moved = {time: video.currentTime, at: now};
    // Repairs move the time a little even where nothing comes any more, so both are looked at.
    if (end !== this.#fed.end || waits || !this.follow) this.#fed = {end, at: now};
    if (!video.paused && !source.ending) this.#keepPace(slept > 0, now);
    const still = (now - this.#moved.at) / 1000, hungry = (now - this.#fed.at) / 1000, limit = source.begun ? stallLimit : startLimit;
    if (!source.ending || this.ahead > .15 || video.paused) this.#dry = now;
    if (source.ending) {
      // The last part may come with ENDLIST and be left out by hls.js, which then waits for it for ever.
      if (now - this.#dry > endLimit || still > stallLimit) source.finish();
    } else if (still > limit || hungry > limit) {
      source.lose(still > limit ? 'the picture does not move' : 'no data comes');
    } else if (still > jumpLimit && hungry < 1 && source.begun && this.follow) {
      this.goLive();
    }
  }

  #keepPace(slept, now) {
    const {video, source, follow} = this, {latency, target} = source;
    if (source.hls === null) return; // the native player keeps its own pace
    const rate = pace({latency, target, ahead: this.ahead, current: video.playbackRate, follow});
    if (video.playbackRate !== rate) video.playbackRate = rate;
    // While hls.js loaded the first parts, the edge moved on: make up for it at once.
    if (this.state === 'playing' && this.follow && !source.leapt && now - source.begun < leapTime && mayLeap({latency, target, ahead: this.ahead})) {
      source.leapt = true;
      video.currentTime += latency - target;
    }
    if (this.state === 'playing' && tooFar({latency, target, follow}) || slept && follow) this.goLive();
  }

  /** Seconds that are buffered after the picture that is shown. */
  get ahead() {
    const {buffered, currentTime} = this.video;
    for (let i = 0; i < buffered.length; i++) {
      if (buffered.start(i) <= currentTime + .1 && currentTime <= buffered.end(i)) return buffered.end(i) - currentTime;
    }
    return 0;
  }

  /** Where a viewer can go: [oldest, live] in the element's time; null when there is nothing. */
  get range() {
    const {seekable} = this.video, edge = this.source?.edge;
    return seekable.length && Number.isFinite(edge) ? [seekable.start(0), Math.max(seekable.start(0), edge)] : null;
  }

  goLive() {
    this.follow = true;
    const range = this.range;
    if (range && Math.abs(range[1] - this.video.currentTime) > .5) this.video.currentTime = range[1];
    this.play();
  }

  /** Goes to a point of range; near its end the viewer follows the edge again. */
  seek(time) {
    const range = this.range;
    if (!range) return;
    this.follow = time > range[1] - 1;
    this.video.currentTime = Math.min(range[1], Math.max(range[0], time));
  }

  /** Plays; where the browser allows no sound before a click, without sound. */
  async play() {
    try {
      await this.video.play();
    } catch (error) {
      if (error.name !== 'NotAllowedError' || this.video.muted) return; // interrupted by a new source, or the big button asks for a click
      this.video.muted = true;
      this.video.play().catch(() => {});
    }
  }

  pause() { this.follow = false; this.video.pause(); }

  /** Seconds since the shown picture came to the server, by both clocks; NaN when unknown. */
  get wallLatency() { return this.source?.wallLatency ?? NaN; }

  /** What tests and the readout see; times in seconds, bitrate in bits per second, startup in milliseconds. */
  stats() {
    const {video, source} = this, quality = video.getVideoPlaybackQuality?.() ?? {};
    const frames = quality.totalVideoFrames ?? 0, now = performance.now(), span = now - this.#rate.at;
    if (span > 1900) this.#rate = {frames, at: now, value: span < 5000 && frames >= this.#rate.frames ? 1000 * (frames - this.#rate.frames) / span : NaN};
    return {
      state: this.state, why: this.why, engine: source?.engine ?? '', codecs: source?.codecs ?? '', generation: source?.generation ?? null, generations: this.generations,
      latency: source?.latency ?? NaN, targetLatency: source?.target ?? NaN, wallLatency: this.wallLatency, playbackRate: video.playbackRate,
      currentTime: video.currentTime, bufferAhead: this.ahead, bitrate: source?.bitrate ?? NaN, frameRate: this.#rate.value,
      frames, dropped: quality.droppedVideoFrames ?? 0, width: video.videoWidth, height: video.videoHeight,
      stalls: this.stalls, fatal: this.#fatal + (source?.fatal ?? 0), errors: [...this.#errors, ...source?.errors ?? []], startup: this.startup,
      muted: video.muted, volume: video.volume, paused: video.paused, follow: this.follow,
    };
  }

  #set(state, why = '') {
    if (this.state === state && this.why === why) return;
    this.state = state;
    this.why = why;
    this.#change();
  }

  #change() { this.dispatchEvent(new Event('change')); }
}

/** The generation that an index playlist leads to. */
function generationIn(text, url) {
  const line = text.split('\n').find(l => l.trim() && !l.startsWith('#'));
  return generationOf(line?.trim(), url) ?? text;
}
