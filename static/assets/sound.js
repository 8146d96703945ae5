// Sound made, mixed and measured with WebAudio.

let context;

/** The page's one audio context; browsers let it run after a first click. */
export function audio() {
  if (!context) {
    context = new AudioContext({sampleRate: 48000, latencyHint: 'interactive'});
    const resume = () => { if (context.state === 'suspended') context.resume().catch(() => {}); };
    for (const type of ['pointerdown', 'keydown']) document.addEventListener(type, resume);
  }
  context.resume().catch(() => {}); // it waits for a click
  return context;
}

/** A quiet tone with a beep at each full second. Returns {track, stop}. */
export function tone() {
  const a = audio(), out = a.createMediaStreamDestination(), hum = a.createOscillator(), beep = a.createOscillator(), quiet = a.createGain(), gate = a.createGain();
  hum.frequency.value = 220;
  beep.frequency.value = 880;
  quiet.gain.value = .02;
  gate.gain.value = 0;
  hum.connect(quiet).connect(out);
  beep.connect(gate).connect(out);
  hum.start();
  beep.start();
  let planned = 0;
  const timer = setInterval(() => {
    // Beeps are planned ahead on the audio clock, so that a busy page does not move them.
    const second = Math.ceil((Date.now() + 50) / 1000) * 1000;
    if (second === planned) return;
    planned = second;
    const at = a.currentTime + (second - Date.now()) / 1000;
    gate.gain.setValueAtTime(.2, at);
    gate.gain.setTargetAtTime(0, at + .07, .008);
  }, 200);
  return {track: out.stream.getAudioTracks()[0], stop() { clearInterval(timer); hum.stop(); beep.stop(); out.stream.getTracks().forEach(t => t.stop()); }};
}

/** One track of several. Returns {track, stop}; the parts are stopped as well. */
export function mix(tracks) {
  const a = audio(), out = a.createMediaStreamDestination();
  const nodes = tracks.map(t => a.createMediaStreamSource(new MediaStream([t])));
  nodes.forEach(n => n.connect(out));
  return {track: out.stream.getAudioTracks()[0], stop() { nodes.forEach(n => n.disconnect()); [...tracks, ...out.stream.getTracks()].forEach(t => t.stop()); }};
}

/** Measures the level of a track. Returns {level, stop}; level() is 0 to 1 on a scale of 60 dB. */
export function meter(track) {
  const a = audio(), node = a.createMediaStreamSource(new MediaStream([track])), analyser = a.createAnalyser();
  analyser.fftSize = 1024;
  node.connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  return {
    level() {
      analyser.getFloatTimeDomainData(samples);
      const rms = Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length);
      return rms > 0 ? Math.max(0, Math.min(1, 1 + 20 * Math.log10(rms) / 60)) : 0;
    },
    stop() { node.disconnect(); },
  };
}
