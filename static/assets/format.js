// Numbers and names as people read them. Pure: no DOM, no clock.

const none = '–';

/** 812000 -> "812 kb/s", 2500000 -> "2.5 Mb/s"; bits per second. */
export function bitrate(bps) {
  if (!(bps > 0)) return none;
  return bps < 999_500 ? `${Math.round(bps / 1e3)} kb/s` : `${(bps / 1e6).toFixed(1)} Mb/s`;
}

/** 0.842 -> "0.84 s", 12.3 -> "12.3 s". */
export function seconds(s) {
  if (!Number.isFinite(s)) return none;
  return `${s.toFixed(Math.abs(s) < 10 ? 2 : 1)} s`;
}

/** 3.21 -> "3.2 ms", 41.7 -> "42 ms". */
export function milliseconds(ms) {
  return Number.isFinite(ms) ? `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms` : none;
}

/** Time since a date: "8 s", "12 min", "2 h 5 min", "3 d 4 h". */
export function since(date, now = Date.now()) {
  const s = Math.max(0, Math.round((now - new Date(date).getTime()) / 1000));
  if (!Number.isFinite(s)) return none;
  if (s < 60) return `${s} s`;
  const min = Math.floor(s / 60), h = Math.floor(min / 60), d = Math.floor(h / 24);
  if (h < 1) return `${min} min`;
  return d < 1 ? `${h} h ${min % 60} min` : `${d} d ${h % 24} h`;
}

/** "1280×720, 30 fps". */
export function picture(width, height, rate) {
  if (!(width > 0 && height > 0)) return none;
  return `${width}×${height}${rate > 0 ? `, ${frameRate(rate)}` : ''}`;
}

/** 29.97 -> "29.97 fps", 30.004 -> "30 fps". */
export function frameRate(rate) {
  return rate > 0 ? `${+rate.toFixed(Math.abs(rate - Math.round(rate)) < .02 ? 0 : 2)} fps` : none;
}

const profiles = {'42': 'Baseline', '4d': 'Main', '58': 'Extended', '64': 'High', '6e': 'High 10', 'f4': 'High 4:4:4'};

/** RFC 6381 name of an H.264 or other codec: "avc1.64001f" -> "H.264 High 3.1". */
export function codec(name) {
  const avc = /^avc[13]\.([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(name ?? '');
  if (!avc) return name || none;
  return ['H.264', profiles[avc[1].toLowerCase()], (parseInt(avc[3], 16) / 10).toFixed(1)].filter(Boolean).join(' ');
}

/** What publishes, from its User-Agent: "OBS 32.2", "Chrome 156". */
export function agent(ua) {
  const s = ua ?? '';
  const obs = /OBS[^\d]*(\d+(?:\.\d+)?)/i.exec(s);
  if (obs) return `OBS ${obs[1]}`;
  const known = [[/Edg\/(\d+)/, 'Edge'], [/Firefox\/(\d+)/, 'Firefox'], [/Chrom(?:e|ium)\/(\d+)/, 'Chrome'], [/Version\/(\d+)[\d.]* (?:Mobile\/\S+ )?Safari/, 'Safari'],
    [/Lavf\/(\d+)/, 'ffmpeg'], [/GStreamer[^\d]*([\d.]+)?/i, 'GStreamer'], [/whipsaw\/?([\d.]+)?/i, 'whipsaw']];
  for (const [pattern, label] of known) {
    const m = pattern.exec(s);
    if (m) return m[1] ? `${label} ${m[1]}` : label;
  }
  return s.slice(0, 40) || none;
}

const streamName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** Whether a stream may have this name. */
export const validName = name => streamName.test(name);

/** The path below which the server lies, empty mostly: where this module was loaded from tells. */
export const base = new URL(import.meta.url).pathname.replace(/(.*)\/static\/.*/, '$1');

/** The part of an address of a stream that makes it a signed link, ~EXPIRES~SIGNATURE/, or nothing. */
export const linkIn = address => /\/(?:watch|hls)\/(~\d+~[\w-]+\/)/.exec(address)?.[1] ?? '';

/** The stream of /watch/NAME or /publish/NAME below the base, or null; the first may have a signed link before the name. */
export function nameFrom(pathname) {
  const m = pathname.startsWith(base) && /^\/(?:watch(?:\/~\d+~[\w-]+)?|publish)\/([^/]+)$/.exec(pathname.slice(base.length));
  if (!m) return null;
  try {
    const name = decodeURIComponent(m[1]);
    return validName(name) ? name : null;
  } catch {
    return null; // not percent-encoded text
  }
}

const ends = {
  'deleted': 'stopped', 'peer-closed': 'disconnected', 'ice-failed': 'its connection was lost', 'not-connected': 'no media connection came about; is the UDP port reachable?',
  'shutdown': 'the server was restarted', 'kicked': 'ended by the operator', 'replaced': 'another publisher took over', 'no-media': 'it sent no pictures and no sound',
  'no-parameter-sets': 'its video came without parameter sets; try another encoder', 'no-idr': 'its video never had a keyframe; set the keyframe interval to 2 s',
  'silent': 'it went silent', 'too-large': 'its pictures are too large', 'too-fast': 'it sent more than this stream may have; lower the bit rate',
  'internal-error': 'a fault of the server; its log tells more',
};

/** Why the last publisher left, in words. */
export const ending = reason => ends[reason] ?? String(reason ?? '').replaceAll('-', ' ');
