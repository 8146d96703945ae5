// One life of hls.js: from loading /hls/STREAM/index.m3u8 until the generation ends or cannot be played on.
import {shownLatency} from './pace.js';

const worker = new URL('./vendor/hls.worker.js', import.meta.url).href;
const retry = {maxNumRetry: 12, retryDelayMs: 250, maxRetryDelayMs: 1000};

// Low latency: the distance to the edge is the server's PART-HOLD-BACK; the player's pace is ours (pace.js). A blocked
// playlist answers within three target durations, or with 503: wait for that, then ask again soon.
const config = {
  lowLatencyMode: true,
  maxLiveSyncPlaybackRate: 1,
  liveSyncOnStallIncrease: .25,
  liveDurationInfinity: true,
  backBufferLength: 60,
  maxBufferHole: .3,
  workerPath: worker,
  startFragPrefetch: true,
  testBandwidth: false,
  enableWebVTT: false, enableIMSC1: false, enableCEA708Captions: false, enableID3MetadataCues: false,
  enableEmsgMetadataCues: false, enableDateRangeMetadataCues: false, emeController: undefined, cmcdController: undefined,
  manifestLoadPolicy: {default: {maxTimeToFirstByteMs: 5000, maxLoadTimeMs: 8000, timeoutRetry: null, errorRetry: null}},
  playlistLoadPolicy: {default: {maxTimeToFirstByteMs: 10000, maxLoadTimeMs: 15000, timeoutRetry: retry, errorRetry: retry}},
  fragLoadPolicy: {default: {maxTimeToFirstByteMs: 6000, maxLoadTimeMs: 20000, timeoutRetry: retry, errorRetry: retry}},
};

/** Whether this browser has what hls.js needs. */
export const supported = () => Boolean(globalThis.Hls?.isSupported());

/** Meter measures the bitrate of what was loaded: bytes over seconds of media, for the last few seconds. */
class Meter {
  #loads = new Map(); // kind of track -> [[bytes, seconds], ...]

  add(kind, bytes, duration) {
    if (!(duration > 0)) return;
    const list = this.#loads.get(kind) ?? [];
    list.push([bytes, duration]);
    let total = list.reduce((sum, [, d]) => sum + d, 0);
    while (list.length > 1 && total - list[0][1] > 4) total -= list.shift()[1];
    this.#loads.set(kind, list);
  }

  get bitrate() {
    let sum = 0;
    for (const list of this.#loads.values()) sum += 8 * list.reduce((n, [b]) => n + b, 0) / list.reduce((n, [, d]) => n + d, 0);
    return sum;
  }
}

/**
 * HlsSource plays one generation. done resolves to {reason, generation, message} with reason
 * 'absent' (no such stream now), 'ended' (ENDLIST was played out), 'lost' (try again), 'unplayable' (not in this browser).
 */
export class HlsSource {
  generation = null;
  ending = false; // ENDLIST was seen
  begun = 0;      // when its first picture was shown, in ms of performance.now()
  leapt = false;  // whether it made up for the time that starting took
  fatal = 0;
  errors = [];
  starved = false; // the buffer ran empty since the server was told
  #meter = new Meter();
  #recoveries = [];
  #finish;

  /** finished is the generation that is over; headers go with requests for playlists. */
  constructor(video, url, finished, headers = {}) {
    this.video = video;
    this.headers = headers;
    this.done = new Promise(resolve => { this.#finish = resolve; });
    const hls = this.hls = new Hls({...config, xhrSetup: (xhr, address) => this.#tell(xhr, address)}), on = (event, f) => hls.on(Hls.Events[event], (_, data) => f(data));
    on('MANIFEST_PARSED', data => {
      this.generation = generationOf(data.levels[0]?.url?.[0] ?? data.levels[0]?.uri, url);
      if (this.generation === finished) this.#end('ended');
    });
    on('LEVEL_LOADED', ({details}) => {
      if (details.live) { this.seenLive = true; return; }
      // A generation that was over before it was opened is history, not a stream to watch.
      if (!this.seenLive) this.#end('ended');
      this.ending = true;
    });
    on('FRAG_LOADED', ({frag, part}) => { if (frag.sn !== 'initSegment') this.#meter.add(frag.type, (part ?? frag).stats.loaded, (part ?? frag).duration); });
    on('ERROR', data => this.#error(data));
    this.played = () => { if (this.ending) this.finish(); };
    video.addEventListener('ended', this.played);
    hls.loadSource(url);
    hls.attachMedia(video);
  }

  get latency() { return this.hls.latency || NaN; }
  get target() { return this.hls.targetLatency ?? NaN; }
  get edge() { return this.hls.liveSyncPosition ?? NaN; }
  get playingDate() { return this.hls.playingDate; }
  get bitrate() { return this.#meter.bitrate; }
  /** Whether sound or picture is missing; it may come later, in a new version of the index. */
  get partial() { const l = this.hls.levels[0]; return l ? !l.videoCodec || !(l.audioCodec || this.hls.audioTracks.length) : false; }
  get codecs() { const l = this.hls.levels[Math.max(0, this.hls.currentLevel)]; return [l?.videoCodec, l?.audioCodec].filter(Boolean).join(', '); }
  get engine() { return `hls.js ${Hls.version}`; }

  /** Seconds that pictures are behind, by the clocks. */
  get wallLatency() { const date = this.playingDate; return date ? (Date.now() - date.getTime()) / 1000 : NaN; }

  /**
   * Tells the server how it goes (CTA-5004), with requests for playlists, which come steadily. In headers: in a query it
   * would give every viewer a URL of their own, past all caches.
   */
  #tell(xhr, address) {
    if (!xhr.readyState) xhr.open('GET', address, true);
    if (!/\.m3u8(\?|$)/.test(address)) return;
    for (const [name, value] of Object.entries(this.headers)) xhr.setRequestHeader(name, value);
    if (!this.begun) return;
    const {buffered, currentTime} = this.video, end = buffered.length ? buffered.end(buffered.length - 1) : currentTime;
    xhr.setRequestHeader('CMCD-Request', cmcd({ahead: end - currentTime, latency: shownLatency(this), starved: this.starved}));
    this.starved = false;
  }

  /** Takes what was played for all that there is. */
  finish() { this.#end('ended'); }

  /** Gives up this life; the supervisor decides what comes next. */
  lose(message) { this.#end('lost', message); }

  close() {
    this.video.removeEventListener('ended', this.played);
    this.hls.destroy();
  }

  #end(reason, message = '') { this.#finish({reason, generation: this.generation, message}); }

  #error(data) {
    const {ErrorTypes, ErrorDetails} = Hls, message = `${data.details}${data.response?.code ? ` ${data.response.code}` : ''}`;
    const gone = [403, 404, 410].includes(data.response?.code);
    // No such stream now, or not for this viewer: that is an answer, not a failure.
    if (gone && data.details === ErrorDetails.MANIFEST_LOAD_ERROR) return this.#end('absent');
    this.errors = [...this.errors, `${Math.round(performance.now())} ${message}${data.fatal ? ' fatal' : ''}`].slice(-20);
    // A playlist that was there and is no more: the generation has gone, asking again would only take time.
    if (gone && [ErrorDetails.LEVEL_LOAD_ERROR, ErrorDetails.AUDIO_TRACK_LOAD_ERROR].includes(data.details)) return this.#end('lost', message);
    if (!data.fatal) return;
    this.fatal++;
    if (data.details === ErrorDetails.MANIFEST_INCOMPATIBLE_CODECS_ERROR || data.details === ErrorDetails.BUFFER_INCOMPATIBLE_CODECS_ERROR) {
      this.#end('unplayable', 'This browser cannot play the codecs of this stream.');
    } else if (data.type === ErrorTypes.MEDIA_ERROR && this.#mayRecover()) {
      this.hls.recoverMediaError();
    } else {
      this.#end('lost', message);
    }
  }

  /** Two repairs of the decoder in half a minute; after that a new life is the better cure. */
  #mayRecover() {
    const now = performance.now();
    this.#recoveries = [...this.#recoveries.filter(t => now - t < 30_000), now];
    return this.#recoveries.length <= 2;
  }
}

/** What a request tells of a player: bl and ltc in ms, rounded to the tens and the hundreds, and bs after a stall. Pure. */
export function cmcd({ahead, latency, starved}) {
  const told = [`bl=${Math.max(0, Math.round(100 * ahead) * 10)}`];
  if (starved) told.push('bs');
  if (latency >= 0) told.push(`ltc=${Math.round(10 * latency) * 100}`);
  return told.join(',');
}

/** How many kinds of tracks an index playlist has. */
export function kindsIn(index) {
  const codecs = /^#EXT-X-STREAM-INF:.*\bCODECS="([^"]*)"/m.exec(index)?.[1] ?? '';
  return new Set(codecs.split(',').filter(Boolean).map(c => /^(avc|hvc|hev|av01|vp0)/i.test(c.trim()) ? 'video' : 'audio')).size;
}

/** The folder of a media playlist below its index: the name of the generation. */
export function generationOf(mediaURL, indexURL) {
  if (!mediaURL) return null;
  const base = new URL('.', new URL(indexURL, location.href)).href, full = new URL(mediaURL, base).href;
  return full.startsWith(base) ? full.slice(base.length).split('/')[0] : full;
}
