// How fast to play so that the picture stays near the live edge. Pure; all in seconds.

const begin = .12, end = .04;       // behind the target at which catching up begins and ends
const least = .3;                   // buffer below which haste would only cause a stall
const slope = .12, most = .25;      // haste per second behind, and the greatest; the pitch stays
const jump = 3;                     // behind the target at which a jump serves better

/**
 * The playback rate for now.
 * latency and target: to the live edge; ahead: buffered; current: the rate so far; follow: the viewer wants to be live.
 */
export function pace({latency, target, ahead, current, follow}) {
  if (!follow || !(target > 0) || !Number.isFinite(latency) || ahead < least) return 1;
  const behind = latency - target;
  if (behind < (current > 1 ? end : begin)) return 1;
  return 1 + Math.min(most, Math.max(.02, Math.round(behind * slope * 100) / 100));
}

/** Whether the picture is so far behind that a jump serves better than haste. */
export const tooFar = ({latency, target, follow}) => follow && target > 0 && latency > target + jump;

/** Whether a picture that has only just begun can jump ahead within what is buffered: at that moment nobody minds. */
export const mayLeap = ({latency, target, ahead}) => target > 0 && latency > target + .4 && ahead > latency - target + .15;

/**
 * The latency to show and to tell. The server's clock tells the truth where it agrees with this machine's; else the
 * distance to the live edge is what is known.
 */
export function shownLatency({latency, wallLatency}) {
  const sane = wallLatency > 0 && wallLatency > latency - .5 && wallLatency < latency + 5;
  return sane ? wallLatency : latency;
}
