"""From an aiortc session to HLS: takes calls from browsers or other WebRTC peers, changes their pictures, and publishes them
to whipsaw over WHIP.

    python aiortc_republish.py http://127.0.0.1:8080/whip/live --port 8090

A caller sends its offer to http://127.0.0.1:8090/offer as {"sdp": ..., "type": "offer"} and gets the answer, as in aiortc's own
examples. In a session that you have already, all it takes is what follows relay below.
"""

import argparse
import asyncio

import numpy
import av
from aiohttp import web
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription
from aiortc.contrib.media import MediaRelay

from aiortc_publish import Encoded, publish

relay = MediaRelay()  # lets several read one track: here it is published, elsewhere it may be recorded or shown


class Changed(MediaStreamTrack):
    """The pictures of a track with something done to them: here the left half becomes a negative."""

    kind = "video"

    def __init__(self, track):
        super().__init__()
        self.track = track

    async def recv(self):
        frame = await self.track.recv()
        return await asyncio.to_thread(self.change, frame)

    def change(self, frame):
        picture = frame.to_ndarray(format="rgb24")
        left = picture[:, : frame.width // 2]
        numpy.subtract(255, left, out=left)
        out = av.VideoFrame.from_ndarray(picture, format="rgb24")
        out.pts, out.time_base = frame.pts, frame.time_base
        return out


async def answer(request):
    app, call = request.app, await request.json()
    pc = RTCPeerConnection()
    await pc.setRemoteDescription(RTCSessionDescription(call["sdp"], call["type"]))
    await pc.setLocalDescription(await pc.createAnswer())

    tracks = []
    for receiver in pc.getReceivers():
        track = relay.subscribe(receiver.track)
        tracks.append(Encoded(Changed(track)) if track.kind == "video" else track)
    publishing = asyncio.create_task(publish(app["url"], *tracks, token=app["token"]))
    app["calls"][pc] = publishing
    publishing.add_done_callback(lambda task: task.cancelled() or task.exception() and print(task.exception(), flush=True))

    @pc.on("connectionstatechange")
    async def changed():
        if pc.connectionState in ("failed", "closed"):
            publishing.cancel()
            app["calls"].pop(pc, None)

    return web.json_response({"sdp": pc.localDescription.sdp, "type": pc.localDescription.type})


async def hang_up(app):
    calls = dict(app["calls"])
    for publishing in calls.values():
        publishing.cancel()
    await asyncio.gather(*calls.values(), *(pc.close() for pc in calls), return_exceptions=True)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("url", help="http://HOST:PORT/whip/STREAM")
    p.add_argument("--token", help="the server's WHIPSAW_PUBLISH_TOKEN")
    p.add_argument("--port", type=int, default=8090)
    a = p.parse_args()
    app = web.Application()
    app["url"], app["token"], app["calls"] = a.url, a.token, {}
    app.router.add_post("/offer", answer)
    app.on_shutdown.append(hang_up)
    web.run_app(app, host="127.0.0.1", port=a.port)


if __name__ == "__main__":
    main()
