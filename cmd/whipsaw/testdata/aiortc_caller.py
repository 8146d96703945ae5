"""Calls aiortc_republish.py as a browser would: aiortc_caller.py OFFER_URL SIZE. It hangs up when it is interrupted."""

import asyncio
import sys

import aiohttp
from aiortc import RTCPeerConnection, RTCSessionDescription

from aiortc_publish import pictures, sounds


async def main(url, size):
    pc = RTCPeerConnection()
    pc.addTrack(pictures(*map(int, size.split("x"))))
    pc.addTrack(sounds())
    await pc.setLocalDescription(await pc.createOffer())
    async with aiohttp.ClientSession() as http:
        async with http.post(url, json={"sdp": pc.localDescription.sdp, "type": pc.localDescription.type}) as answer:
            await pc.setRemoteDescription(RTCSessionDescription(**await answer.json()))
    try:
        await asyncio.Event().wait()
    finally:
        await pc.close()


try:
    asyncio.run(main(*sys.argv[1:]))
except KeyboardInterrupt:
    pass
