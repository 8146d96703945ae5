// Keeps a WHIP session alive: connects, comes back after a loss, says in words what happens.
import {Session, WhipError} from './whip.js';

const slowest = 8;       // s between two attempts
const settled = 10_000;  // ms of connection after which the back-off begins anew

/**
 * Uplink publishes one set of tracks. It fires 'change' when state or words change.
 * States: idle, connecting, live, error.
 */
export class Uplink extends EventTarget {
  state = 'idle';
  words = '';
  status = 0;      // HTTP status of the answer that led to state error, if it was one
  attempts = 0;    // sessions that were tried since start
  sessions = 0;    // sessions that went live since start
  session = null;
  #options = null;
  #stopped = true;
  #wake = () => {};

  /** options: {endpoint, token, media, bitrate, fps}; see Session. */
  async start(options) {
    if (!this.#stopped) return;
    this.#options = options;
    this.#stopped = false;
    this.attempts = this.sessions = 0;
    for (let failures = 0; !this.#stopped;) {
      const result = await this.#attempt();
      if (this.#stopped) return;
      if (result.error && !this.#worthwhile(result.error)) {
        this.#stopped = true;
        this.status = result.error.status;
        return this.#set('error', result.error.message);
      }
      failures = result.lasted > settled ? 0 : failures + 1;
      await this.#backOff(failures, result.error);
    }
  }

  /** Ends the session. The promise resolves when the server knows. */
  async stop() {
    this.#stopped = true;
    this.#wake();
    const session = this.session;
    this.session = null;
    this.#set('idle');
    await session?.close();
  }

  /** Changes tracks or bounds while live. A kind of track that was not there before needs a new session. */
  async change(options) {
    const before = this.#options;
    this.#options = {...before, ...options};
    const session = this.session;
    if (!session || this.#stopped) return;
    const {media, bitrate, fps} = this.#options;
    if (Boolean(media.audio) !== Boolean(before.media.audio)) return session.close();
    await session.replace(media);
    await session.tune({bitrate, fps});
  }

  /** One session from its offer to its end; lasted is in ms of being live. */
  async #attempt() {
    this.attempts++;
    this.#set('connecting', this.sessions ? 'Connecting again…' : 'Connecting…');
    let session;
    try {
      session = this.session = new Session(this.#options.endpoint, this.#options);
      await session.open();
      if (this.#stopped) return {lasted: 0};
      this.sessions++;
      this.#set('live', 'Live');
      const begun = performance.now();
      await session.over;
      return {lasted: performance.now() - begun};
    } catch (error) {
      return {lasted: 0, error: error instanceof WhipError ? error : new WhipError(`The browser could not connect: ${error.message}`)};
    } finally {
      if (this.session === session) this.session = null;
      // The server hands the stream over from a session that is silent; ending it here would end the stream as well.
      if (!this.#stopped) session?.close({keepOnServer: this.sessions > 0});
    }
  }

  /** After having been live, a stream that is taken is most likely taken by what is left of ourselves. */
  #worthwhile(error) { return error.retry && (error.status !== 409 || this.sessions > 0); }

  async #backOff(failures, error) {
    const wait = Math.max(error?.after ?? 0, failures ? Math.min(slowest, 2 ** (failures - 1)) : .25) * (1 + Math.random() / 4);
    this.#set('connecting', `${error?.message ?? 'The connection was lost.'} Trying again in ${Math.ceil(wait)} s.`);
    await new Promise(done => { this.#wake = done; setTimeout(done, 1000 * wait); });
  }

  #set(state, words = '') {
    this.state = state;
    this.words = words;
    this.dispatchEvent(new Event('change'));
  }
}

/** Reads the statistics of a session; before is what the last call returned. bitrate in bits per second, rtt in ms. */
export async function measure(session, before) {
  const now = {at: performance.now(), bytes: 0, frames: 0, lost: 0, sent: 0, width: 0, height: 0, limit: '', rtt: NaN, bitrate: NaN, fps: NaN};
  for (const s of (await session.pc.getStats()).values()) {
    if (s.type === 'outbound-rtp') {
      now.bytes += s.bytesSent ?? 0;
      now.sent += s.packetsSent ?? 0;
      if (s.kind === 'video') Object.assign(now, {frames: s.framesSent ?? s.framesEncoded ?? 0, width: s.frameWidth ?? 0, height: s.frameHeight ?? 0, limit: s.qualityLimitationReason ?? '', fps: s.framesPerSecond ?? NaN});
    }
    if (s.type === 'remote-inbound-rtp') {
      now.lost += Math.max(0, s.packetsLost ?? 0);
      if (s.roundTripTime > 0) now.rtt = 1000 * s.roundTripTime;
    }
    if (s.type === 'candidate-pair' && s.nominated && s.currentRoundTripTime > 0) now.rtt = 1000 * s.currentRoundTripTime;
  }
  const span = before ? (now.at - before.at) / 1000 : 0;
  if (span > 0 && now.bytes >= before.bytes) {
    now.bitrate = 8 * (now.bytes - before.bytes) / span;
    if (!(now.fps > 0)) now.fps = (now.frames - before.frames) / span;
  }
  return now;
}
