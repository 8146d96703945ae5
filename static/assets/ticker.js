// A worker that beats at a constant rate: browsers slow down the timers of a page that is out of sight, but not these.
// It gets {fps} and posts the number of each beat; a beat that would come late is left out, the rate stays.
let timer;

self.onmessage = ({data: {fps}}) => {
  clearTimeout(timer);
  if (!(fps > 0)) return;
  const period = 1000 / fps, begun = performance.now();
  let beat = 0;
  const next = () => {
    self.postMessage(beat);
    beat = Math.max(beat + 1, Math.ceil((performance.now() - begun) / period));
    timer = setTimeout(next, Math.max(0, begun + beat * period - performance.now()));
  };
  next();
};
