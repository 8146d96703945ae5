// The browser's own HLS player, for browsers without Media Source Extensions. It has the form of HlsSource.

/** Whether this browser plays HLS by itself. */
export const supported = video => video.canPlayType('application/vnd.apple.mpegurl') !== '';

/** NativeSource plays one generation with the browser's player; done resolves as that of HlsSource. */
export class NativeSource {
  generation = null;
  ending = false; // ENDLIST was seen
  begun = 0;      // when its first picture was shown, in ms of performance.now()
  leapt = false;  // whether it made up for the time that starting took
  fatal = 0;
  errors = [];
  starved = false;
  target = NaN;
  bitrate = NaN;
  codecs = '';
  engine = 'native';
  hls = null;
  partial = false; // the browser does not tell
  #finish;

  constructor(video, url, generation) {
    this.video = video;
    this.generation = generation;
    this.done = new Promise(resolve => { this.#finish = resolve; });
    this.failed = () => {
      this.fatal++;
      this.errors = [...this.errors, `${Math.round(performance.now())} ${video.error?.message || `code ${video.error?.code}`}`].slice(-20);
      this.lose(this.errors.at(-1));
    };
    this.played = () => this.finish();
    video.addEventListener('error', this.failed);
    video.addEventListener('ended', this.played);
    video.src = url;
  }

  get edge() { const s = this.video.seekable; return s.length && Number.isFinite(s.end(s.length - 1)) ? s.end(s.length - 1) : NaN; }
  get latency() { return this.edge - this.video.currentTime; }
  get playingDate() {
    const start = this.video.getStartDate?.().getTime();
    return start > 0 ? new Date(start + this.video.currentTime * 1000) : null;
  }

  get wallLatency() { const date = this.playingDate; return date ? (Date.now() - date.getTime()) / 1000 : NaN; }

  finish() { this.#end('ended'); }

  lose(message) { this.#end('lost', message); }

  close() {
    this.video.removeEventListener('error', this.failed);
    this.video.removeEventListener('ended', this.played);
    this.video.removeAttribute('src');
    this.video.load();
  }

  #end(reason, message = '') { this.#finish({reason, generation: this.generation, message}); }
}
