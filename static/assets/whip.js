// One WHIP session (RFC 9725) over fetch and RTCPeerConnection.

const gatherLimit = 1000;     // ms for the browser's own addresses; the server needs few of them
const answerLimit = 10_000;   // ms for the server's answer
const connectLimit = 12_000;  // ms from the answer to the first connection
const goodbyeLimit = 2000;    // ms for the answer to DELETE
const patience = 3000;        // ms a lost connection may take to come back by itself

/** WhipError says in words what failed; retry tells whether another try can help, after how many seconds at least. */
export class WhipError extends Error {
  constructor(words, {retry = false, after = 0, status = 0} = {}) {
    super(words);
    this.retry = retry;
    this.after = after;
    this.status = status;
  }
}

const words = {
  401: 'The publish token is missing or wrong.', 403: 'The server does not allow this.', 404: 'The server has no such address.', 409: 'Somebody else is publishing to this stream.',
  413: 'The offer is too large.', 415: 'The server did not understand the offer.', 429: 'Too many attempts. Wait a little.', 503: 'The server is too busy.',
};

/** What programs are told, as a sentence for people. Pure. */
export const sentence = text => text && text[0].toUpperCase() + text.slice(1) + (/[.!?…]$/.test(text) ? '' : '.');

/** Makes a WhipError of an answer that is not 201; problem JSON (RFC 9457) comes first, as it knows best. */
async function refusal(response) {
  const {status} = response;
  let text = words[status] ?? `The server answered with status ${status}.`;
  try {
    if (/json/.test(response.headers.get('Content-Type') ?? '')) {
      const problem = await response.json();
      text = problem.detail || problem.title || text;
    }
  } catch {
    // The body is not what its type says: the status is enough.
  }
  const after = Number(response.headers.get('Retry-After')) || 0;
  return new WhipError(sentence(text), {status, after, retry: status === 409 || status === 429 || status >= 500});
}

async function request(url, init) {
  try {
    return await fetch(url, {...init, signal: AbortSignal.timeout(answerLimit)});
  } catch {
    throw new WhipError('The server cannot be reached.', {retry: true});
  }
}

const within = (promise, ms, onTimeout) => Promise.race([promise, new Promise((done, fail) => setTimeout(() => onTimeout ? fail(onTimeout) : done(), ms))]);

/** H.264 in what this browser can send, best first, with the repair formats that go with it. */
function h264() {
  const all = RTCRtpSender.getCapabilities?.('video')?.codecs ?? [];
  const wanted = all.filter(c => /^video\/h264$/i.test(c.mimeType) && /packetization-mode=1/.test(c.sdpFmtpLine ?? ''));
  if (!wanted.length) throw new WhipError('This browser cannot send H.264. Try Chrome, Edge or Safari; Firefox needs its OpenH264 plug-in.');
  return [...wanted, ...all.filter(c => /^video\/rtx$/i.test(c.mimeType))];
}

/** Session is one peer connection and its resource on the server. */
export class Session {
  #resource = null;
  #closed = false;
  #headers;
  #over;

  /** media: {video, audio}, tracks, audio may be null; bitrate in bits per second; fps an upper bound. */
  constructor(endpoint, {token, media, bitrate, fps}) {
    this.endpoint = endpoint;
    this.#headers = token ? {Authorization: `Bearer ${token}`} : {};
    this.over = new Promise(resolve => { this.#over = resolve; });
    const pc = this.pc = new RTCPeerConnection({bundlePolicy: 'max-bundle'}), streams = [new MediaStream()];
    this.video = pc.addTransceiver(media.video, {direction: 'sendonly', streams, sendEncodings: [{maxBitrate: bitrate, maxFramerate: fps}]});
    try {
      this.video.setCodecPreferences(h264());
    } catch (error) {
      pc.close();
      throw error instanceof WhipError ? error : new WhipError('This browser does not let the page choose H.264.');
    }
    this.audio = media.audio ? pc.addTransceiver(media.audio, {direction: 'sendonly', streams, sendEncodings: [{maxBitrate: 128_000}]}) : null;
    pc.addEventListener('connectionstatechange', () => this.#changed());
  }

  /** Resolves when media flows. */
  async open() {
    const {pc} = this;
    await pc.setLocalDescription(await pc.createOffer());
    await within(gathered(pc), gatherLimit);
    const response = await request(this.endpoint, {method: 'POST', headers: {...this.#headers, 'Content-Type': 'application/sdp'}, body: pc.localDescription.sdp});
    if (response.status !== 201) throw await refusal(response);
    const location = response.headers.get('Location');
    if (location) this.#resource = new URL(location, response.url).href;
    if (this.#closed) { // while the offer was on its way
      await this.#remove();
      throw new WhipError('Stopped.');
    }
    await pc.setRemoteDescription({type: 'answer', sdp: stereo(await response.text())});
    // The server says goodbye on this transport (RFC 9725 4.2: it ends the session by closing it); ICE would take seconds to notice.
    const transport = this.video.sender.transport;
    transport?.addEventListener('statechange', () => { if (['closed', 'failed'].includes(transport.state)) this.#over(); });
    await this.#keepSize();
    await within(connected(pc), connectLimit, new WhipError('The server answered, but no media connection came about. Is its UDP port reachable?', {retry: true}));
  }

  /** Sends another picture or sound in place of the present one. */
  async replace({video, audio}) {
    await this.video.sender.replaceTrack(video);
    await this.audio?.sender.replaceTrack(audio);
  }

  /** Changes the bounds of the video. */
  async tune({bitrate, fps}) {
    const parameters = this.video.sender.getParameters();
    for (const e of parameters.encodings) { e.maxBitrate = bitrate; e.maxFramerate = fps; }
    await this.video.sender.setParameters(parameters);
  }

  /**
   * Ends the session on both sides; safe while the page goes away. The server must hear of the end before it sees the
   * connection close: that alone would look like a loss, and the stream would wait for the publisher to come back.
   */
  async close({keepOnServer = false} = {}) {
    this.#closed = true;
    this.#over();
    if (!keepOnServer) await within(this.#remove(), goodbyeLimit);
    this.pc.close();
  }

  async #remove() {
    const resource = this.#resource;
    this.#resource = null;
    if (!resource) return;
    try {
      await fetch(resource, {method: 'DELETE', headers: this.#headers, keepalive: true});
    } catch {
      // The server is away; it ends the session by itself when no media comes.
    }
  }

  /** A picture that changes its size costs every viewer a new beginning: rather fewer frames than fewer lines. */
  async #keepSize() {
    const parameters = this.video.sender.getParameters();
    parameters.degradationPreference = 'maintain-resolution';
    await this.video.sender.setParameters(parameters).catch(() => {}); // not in every browser
  }

  #changed() {
    const state = this.pc.connectionState;
    clearTimeout(this.waiting);
    if (state === 'failed' || state === 'closed') this.#over();
    if (state === 'disconnected') this.waiting = setTimeout(() => this.#over(), patience);
  }
}

function gathered(pc) {
  if (pc.iceGatheringState === 'complete') return Promise.resolve();
  return new Promise(done => pc.addEventListener('icegatheringstatechange', () => pc.iceGatheringState === 'complete' && done()));
}

function connected(pc) {
  return new Promise((done, fail) => {
    const look = () => {
      if (pc.connectionState === 'connected') done();
      if (['failed', 'closed'].includes(pc.connectionState)) fail(new WhipError('The media connection failed.', {retry: true}));
    };
    pc.addEventListener('connectionstatechange', look);
    look();
  });
}

/** RFC 7587 7.1: the receiver says that it wants stereo. The server passes on what comes, so it always does. */
export function stereo(sdp) {
  const payload = /^a=rtpmap:(\d+) opus\/48000\/2/mi.exec(sdp)?.[1];
  if (!payload || /^a=fmtp:\d+ (?:.*;)?\s*stereo=1/m.test(sdp)) return sdp;
  const line = new RegExp(`^(a=fmtp:${payload} [^\\r\\n]*)`, 'm');
  return line.test(sdp) ? sdp.replace(line, '$1;stereo=1') : sdp.replace(new RegExp(`^(a=rtpmap:${payload} [^\\r\\n]*)`, 'mi'), `$1\r\na=fmtp:${payload} stereo=1`);
}
