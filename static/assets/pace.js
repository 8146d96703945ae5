// How fast to play so that the picture stays near the live edge. Pure.

const begin = .12, end = .04; // s behind the target at which catching up begins and ends
const least = .3;             // s of buffer below which haste would only cause a stall
const most = .08;             // the greatest haste: nobody hears it

/**
 * The playback rate for now.
 * latency, target, ahead: seconds; current: the rate so far; follow: whether the viewer wants to be live.
 */
export function pace({latency, target, ahead, current, follow}) {
  if (!follow || !(target > 0) || !Number.isFinite(latency) || ahead < least) return 1;
  const behind = latency - target;
  if (behind < (current > 1 ? end : begin)) return 1;
  return 1 + Math.min(most, Math.max(.02, Math.round(behind * 10) / 100));
}

/** Whether the picture is so far behind that a jump serves better than haste. */
export const tooFar = ({latency, target, follow}) => follow && target > 0 && latency > target + 4;
