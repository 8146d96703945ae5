"""From Python frames to HLS: publishes pictures that you draw, compute or capture to whipsaw, with aiortc over WHIP.

    pip install aiortc aiohttp numpy
    python aiortc_publish.py http://127.0.0.1:8080/whip/live     # then watch http://127.0.0.1:8080/watch/live

Put your own frames where draw() is. Thirty a second become segments of two seconds and sixty frames.
"""

import argparse
import asyncio
import fractions
import time
from urllib.parse import urljoin

import aiohttp
import av
import numpy
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription
from av.video.frame import PictureType


def draw(n, width, height):
    """Picture number n, an array of height x width x 3 bytes: a bar moves over a gradient."""
    picture = numpy.empty((height, width, 3), numpy.uint8)
    picture[:, :, 0] = numpy.linspace(0, 255, width)
    picture[:, :, 1] = numpy.linspace(0, 255, height)[:, None]
    picture[:, :, 2] = n % 256
    left = n * 8 % width
    picture[:, left : left + 40] = 255
    return picture


def play(n):
    """Sound number n, an array of 960 samples, which is 20 ms: 440 Hz."""
    t = numpy.arange(n * 960, (n + 1) * 960) / 48000
    return (6000 * numpy.sin(2 * numpy.pi * 440 * t)).astype(numpy.int16)


class Paced(MediaStreamTrack):
    """Makes frame number n when it is due. Its time stamp says when that was, not when the frame was ready. Pictures that
    could not be made in time are left out: otherwise everything after them would be late as well."""

    def __init__(self, kind, rate, make):
        super().__init__()
        self.kind, self.rate, self.make = kind, rate, make
        self.start, self.n = None, -1

    async def recv(self):
        if self.start is None:
            self.start = time.monotonic()
        passed = time.monotonic() - self.start
        self.n += 1
        if self.kind == "video" and passed - self.n / self.rate > 0.1:
            self.n = int(passed * self.rate)
        await asyncio.sleep(self.n / self.rate - passed)
        frame = self.make(self.n)
        frame.pts, frame.time_base = self.n, fractions.Fraction(1, self.rate)
        return frame


def pictures(width=1280, height=720, rate=30):
    return Paced("video", rate, lambda n: av.VideoFrame.from_ndarray(draw(n, width, height), format="rgb24"))


def sounds():
    def make(n):
        frame = av.AudioFrame.from_ndarray(play(n)[None], format="s16", layout="mono")
        frame.sample_rate = 48000
        return frame

    return Paced("audio", 50, make)


class Encoded(MediaStreamTrack):
    """A track's pictures as H.264, which aiortc sends as it is. aiortc's own encoder would do (publish the track itself);
    this one is cheaper by its preset, is not bound to 3 Mbit/s, and makes a keyframe exactly every two seconds."""

    kind = "video"

    def __init__(self, track, bitrate=2_500_000, preset="veryfast", keyframes=2):
        super().__init__()
        self.track, self.bitrate, self.preset, self.keyframes = track, bitrate, preset, keyframes
        self.codec, self.packets = None, []
        self.due, self.wanted = 0, True  # when the next keyframe is due, in seconds; and whether one was asked for

    async def recv(self):
        while not self.packets:
            frame = await self.track.recv()
            self.packets = await asyncio.to_thread(self.encode, frame)
        return self.packets.pop(0)

    def encode(self, frame):
        if self.codec is None or (self.codec.width, self.codec.height) != (frame.width, frame.height):
            self.codec = av.CodecContext.create("libx264", "w")
            self.codec.width, self.codec.height, self.codec.pix_fmt = frame.width, frame.height, "yuv420p"
            self.codec.time_base, self.codec.framerate = frame.time_base, 30
            self.codec.bit_rate, self.codec.gop_size = self.bitrate, 1000
            self.codec.options = {"preset": self.preset, "tune": "zerolatency", "sc_threshold": "0"}
        now = frame.pts * frame.time_base
        frame.pict_type = PictureType.NONE
        if self.wanted or now >= self.due:
            frame.pict_type = PictureType.I
            self.wanted, self.due = False, now + self.keyframes
        return self.codec.encode(frame)

    def keyframe(self):
        self.wanted = True

    def stop(self):
        self.track.stop()
        super().stop()


async def publish(url, *tracks, token=None):
    """Publishes tracks until the connection ends. When it is cancelled it takes leave (DELETE), and viewers see the end;
    otherwise the server keeps the stream alive for a while, for us to come back."""
    pc = RTCPeerConnection()
    ended = asyncio.Event()

    @pc.on("connectionstatechange")
    def changed():
        if pc.connectionState in ("failed", "closed"):
            ended.set()

    for track in tracks:
        sender = pc.addTransceiver(track, direction="sendonly").sender
        if isinstance(track, Encoded):
            sender._send_keyframe = track.keyframe  # what aiortc calls when the server asks for one, after a loss
    session = None
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"} if token else None) as http:
        try:
            await pc.setLocalDescription(await pc.createOffer())
            async with http.post(url, data=pc.localDescription.sdp, headers={"Content-Type": "application/sdp"}) as answer:
                body = await answer.text()
                if answer.status != 201:
                    raise ConnectionError(f"{answer.status} {body}")
                session = urljoin(url, answer.headers["Location"])
            await pc.setRemoteDescription(RTCSessionDescription(body, "answer"))
            print("publishing", url, flush=True)
            await ended.wait()
        finally:
            if session:
                async with http.delete(session):
                    pass
            await pc.close()


async def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("url", help="http://HOST:PORT/whip/STREAM")
    p.add_argument("--token", help="the server's WHIPSAW_PUBLISH_TOKEN")
    p.add_argument("--size", default="1280x720")
    p.add_argument("--preset", default="veryfast", help="of x264; or 'aiortc' for the encoder that aiortc has")
    a = p.parse_args()
    width, height = map(int, a.size.split("x"))
    while True:
        video = pictures(width, height)
        try:
            await publish(a.url, video if a.preset == "aiortc" else Encoded(video, preset=a.preset), sounds(), token=a.token)
            print("the connection has ended", flush=True)
        except (OSError, aiohttp.ClientError) as error:
            print(error, flush=True)
        await asyncio.sleep(2)  # and once more


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        pass
