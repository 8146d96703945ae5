// publish.mjs LIBRARY MODULES WHIP_URL: publishes what ffmpeg encodes, with a WebRTC library for node, until it is interrupted.
// MODULES is the folder node_modules. LIBRARY is werift, or node-datachannel, which is libdatachannel, OBS's own: then
// everything is done as OBS does it.
import {spawn} from 'node:child_process';
import dgram from 'node:dgram';
import {createRequire} from 'node:module';

const [library, modules, url] = process.argv.slice(2);
const load = createRequire(modules + '/');
const keyframeEvery = '60';

// Publishes an offer; what it returns takes leave.
async function whip(offer, answered) {
  const r = await fetch(url, {method: 'POST', headers: {'Content-Type': 'application/sdp'}, body: offer});
  const answer = await r.text();
  if (r.status !== 201) throw new Error(`${r.status} ${answer}`);
  await answered(answer);
  const session = new URL(r.headers.get('location'), url);
  return async () => {
    const r = await fetch(session, {method: 'DELETE'});
    if (r.status !== 200) throw new Error(`DELETE was answered with ${r.status}`);
  };
}

// Runs ffmpeg until the end; outputs come after the two inputs.
function encode(...outputs) {
  const ffmpeg = spawn('ffmpeg', ['-v', 'error', '-nostdin', '-re', '-f', 'lavfi', '-i', 'testsrc2=size=640x360:rate=30',
    '-re', '-f', 'lavfi', '-i', 'sine=440:sample_rate=48000', ...outputs.flat()], {stdio: ['ignore', 'pipe', 'inherit']});
  process.on('exit', () => ffmpeg.kill('SIGKILL'));
  return ffmpeg.stdout;
}
const video = (profile, preset) => ['-map', '0:v', '-c:v', 'libx264', '-profile:v', profile, '-preset', preset, '-pix_fmt', 'yuv420p', '-tune', 'zerolatency',
  '-b:v', '800k', '-bf', '0', '-g', keyframeEvery, '-keyint_min', keyframeEvery];
const audio = ['-map', '1:a', '-c:a', 'libopus', '-ac', '2', '-b:a', '96k', '-payload_type', '111'];

// Calls back with each packet that comes to a port, whose URL for ffmpeg it returns.
function receive(packet) {
  const socket = dgram.createSocket('udp4').on('message', packet);
  return new Promise((done) => socket.bind(0, '127.0.0.1', () => done(`rtp://127.0.0.1:${socket.address().port}?pkt_size=1200`)));
}

async function werift() {
  const {RTCPeerConnection, MediaStreamTrack, useH264, useOPUS} = load('werift');
  const pc = new RTCPeerConnection({iceServers: [], codecs: {video: [useH264()], audio: [useOPUS()]}});
  const tracks = ['video', 'audio'].map((kind) => new MediaStreamTrack({kind}));
  for (const track of tracks) pc.addTransceiver(track, {direction: 'sendonly'});
  await pc.setLocalDescription(await pc.createOffer());
  const leave = await whip(pc.localDescription.sdp, (sdp) => pc.setRemoteDescription({type: 'answer', sdp}));
  if (pc.connectionState !== 'connected') await pc.connectionStateChange.watch((s) => s === 'connected');
  const [v, a] = await Promise.all(tracks.map((track) => receive((packet) => track.writeRtp(packet))));
  encode(video('baseline', 'ultrafast'), ['-bsf:v', 'dump_extra', '-payload_type', '96', '-f', 'rtp', v], audio, ['-f', 'rtp', a]);
  return async () => {
    await leave();
    await pc.close();
  };
}

// As OBS: the same offer but for its candidates, High profile, every NAL unit in packets of its own, reports once a
// second, packets spread by ten times the bit rate, the encoder running before there is a connection, DELETE after the close.
async function datachannel() {
  const rtc = load('node-datachannel');
  const pc = new rtc.PeerConnection('obs', {iceServers: [], disableAutoNegotiation: true});
  const source = 1677787605;
  const add = (media, ssrc, clock, packetize, ...handlers) => {
    media.addSSRC(ssrc, 'obs', 'stream', 'stream-' + ssrc);
    const config = new rtc.RtpPacketizationConfig(ssrc, 'obs', ssrc === source ? 111 : 96, clock);
    const chain = packetize(config), track = pc.addTrack(media);
    for (const h of [new rtc.RtcpSrReporter(config), ...handlers]) chain.addToChain(h);
    track.setMediaHandler(chain);
    const zero = config.timestamp;
    return (time, data) => { // what comes before the connection is lost
      config.timestamp = (zero + time) >>> 0;
      if (track.isOpen()) track.sendMessageBinary(data);
    };
  };
  const sound = new rtc.Audio('0', 'SendOnly'), picture = new rtc.Video('1', 'SendOnly');
  sound.addOpusCodec(111);
  picture.addH264Codec(96);
  const sendAudio = add(sound, source, 48000, (c) => new rtc.RtpPacketizer(c), new rtc.RtcpNackResponder());
  const sendVideo = add(picture, source + 1, 90000, (c) => new rtc.H264RtpPacketizer('StartSequence', c, 1200),
    new rtc.RtcpNackResponder(4000), new rtc.PacingHandler(8e6, 5));

  const port = await receive((packet) => sendAudio(packet.readUInt32BE(4), packet.subarray(12)));
  const stream = encode(audio, ['-f', 'rtp', port], video('high', 'veryfast'), ['-bsf:v', 'h264_metadata=aud=insert', '-f', 'h264', '-']);
  let pending = Buffer.alloc(0), n = 0;
  stream.on('data', (data) => { // a picture ends where the delimiter of the next begins
    pending = Buffer.concat([pending, data]);
    for (let end; (end = pending.indexOf('0000000109', 1, 'hex')) > 0; pending = pending.subarray(end)) {
      sendVideo(n++ * 3000, pending.subarray(0, end));
    }
  });

  const described = new Promise((done) => pc.onGatheringStateChange((s) => s === 'complete' && done()));
  pc.setLocalDescription('offer');
  await described;
  const offer = pc.localDescription().sdp.split('\r\n').filter((l) => !/^a=(end-of-)?candidate/.test(l)).join('\r\n');
  const leave = await whip(offer, (sdp) => pc.setRemoteDescription(sdp, 'answer'));
  return async () => {
    const closed = new Promise((done) => pc.onStateChange((s) => s === 'closed' && done()));
    pc.close();
    await closed;
    await leave();
  };
}

const leave = await (library === 'werift' ? werift() : datachannel());
process.on('SIGINT', () => leave().then(() => process.exit(0), (error) => {
  console.error(error);
  process.exit(1);
}));
