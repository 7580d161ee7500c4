"""participant.ts by LiveKit's SDK for Python, with the commands that the benchmark has for it."""

import asyncio
import os
import resource
import sys
import time
from pathlib import Path

from livekit import rtc

sys.path.append(str(Path(__file__).parents[1] / "support"))
from json_lines import keep, serve, write

# What background.ts has.
TOPIC = "background"
METHOD = "bench.background"
FILLER = "a message of fifty bytes, its number before it, no more"
MESSAGE_BYTES = 50
CALL_TIMEOUT_SECONDS = 100


def clock():
    return time.time() * 1000


class Participant:
    def __init__(self):
        self.room = rtc.Room()
        self.samples = {}
        self.bytes_taken = 0
        self.came = []
        self.messages = []
        self.calls = []
        self.going = []

    async def connect(self, url, token):
        await self.room.connect(url, token, rtc.RoomOptions(auto_subscribe=False))

    async def others(self):
        return list(self.room.remote_participants)

    async def clock(self):
        return clock()

    async def usage(self):
        used = resource.getrusage(resource.RUSAGE_SELF)
        return {"cpu": (used.ru_utime + used.ru_stime) * 1000}

    async def listen(self, kind, topic, how):
        self.room.register_byte_stream_handler(topic, lambda reader, _: keep(self.take(reader)))

    async def send(self, how, topic, to, bytes, write=0, path=""):
        if how == "streamBytes" and bytes not in self.samples:
            self.samples[bytes] = Path(path).read_bytes() if path else os.urandom(bytes)
        began = clock()
        if how == "sendFile":
            await self.room.local_participant.send_file(path, topic=topic, destination_identities=to)
        else:
            data = self.samples[bytes]
            writer = await self.room.local_participant.stream_bytes("sent", topic=topic, destination_identities=to)
            for at in range(0, bytes, write):
                await writer.write(data[at : at + write])
            await writer.aclose()
        return {"began": began, "done": clock()}

    async def take(self, reader):
        total = 0
        async for part in reader:
            total += len(part)
            self.bytes_taken += len(part)
        write({"event": "ended", "bytes": total, "at": clock()})

    async def taken(self):
        return self.bytes_taken

    async def hear(self):
        async def take(reader):
            message = await reader.read_all()
            self.came.append([int(message.split(" ")[0]), clock()])

        async def answer(data):
            return data.payload

        self.room.register_text_stream_handler(TOPIC, lambda reader, _: keep(take(reader)))
        self.room.local_participant.register_rpc_method(METHOD, answer)

    async def heard(self):
        return self.came

    async def startBackground(self, to, messageMs, callMs):
        async def message():
            self.messages.append(clock())
            text = f"{len(self.messages) - 1} {FILLER}"[:MESSAGE_BYTES]
            await self.room.local_participant.send_text(text, topic=TOPIC, destination_identities=[to])

        async def call():
            own = {"began": clock()}
            self.calls.append(own)
            try:
                await self.room.local_participant.perform_rpc(
                    destination_identity=to, method=METHOD, payload="?", response_timeout=CALL_TIMEOUT_SECONDS
                )
            except Exception as error:
                own["error"] = str(error)
            own["at"] = clock()

        async def each(seconds, work):
            due = time.monotonic() + seconds
            while True:
                await asyncio.sleep(max(0, due - time.monotonic()))
                keep(work())
                due = max(due + seconds, time.monotonic())

        self.going = [keep(each(messageMs / 1000, message)), keep(each(callMs / 1000, call))]

    async def stopBackground(self):
        for task in self.going:
            task.cancel()
        return {"messages": self.messages, "calls": self.calls}


COMMANDS = (
    *("connect", "others", "clock", "usage", "listen", "send"),
    *("taken", "hear", "heard", "startBackground", "stopBackground"),
)


serve(Participant, COMMANDS)
