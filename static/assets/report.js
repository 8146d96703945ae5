// What the server says of a stream while it is published: what is wrong with it, and how many watch.
import {base} from './format.js';

const every = 2000; // ms; the server looks as often

/** Report asks for as long as it runs, and hands on what it gets: a Stream of the API, or null where that is not told. */
export class Report {
  #timer;

  constructor(stream, show) {
    this.address = `${base}/api/streams/${stream}`;
    this.show = show;
  }

  /** Begins; token is that of the publisher, or empty. */
  start(token) {
    this.stop();
    const headers = token ? {Authorization: `Bearer ${token}`} : {}, timer = this.#timer = setInterval(async () => {
      if (document.hidden) return;
      const stream = await this.#ask(headers);
      if (timer !== this.#timer) return; // stopped meanwhile
      if (stream === null) this.stop();
      if (stream) this.show(stream);
    }, every);
  }

  stop() {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.show(null);
  }

  /** Resolves to the stream, to null where it may not be seen, and to undefined where the next try may tell. */
  async #ask(headers) {
    try {
      const response = await fetch(this.address, {cache: 'no-store', headers, signal: AbortSignal.timeout(5000)}), body = await response.json();
      if ([401, 403].includes(response.status)) return null;
      return response.ok ? body : undefined;
    } catch {
      return undefined; // the server is away; the session notices that by itself
    }
  }
}
