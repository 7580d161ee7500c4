"""participant.ts by LiveKit's SDK for Python, with the commands that the benchmark has for it."""

import asyncio
import json
import os
import resource
import sys
import threading
import time
from pathlib import Path

from livekit import rtc

END_SECONDS = 5

# What beside.ts has.
TOPIC = "beside"
METHOD = "bench.beside"
FILLER = "a message of fifty bytes, its number before it, no more"
MESSAGE_BYTES = 50
CALL_TIMEOUT_SECONDS = 100


def clock():
    return time.time() * 1000


def write(message):
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


class Participant:
    def __init__(self):
        self.room = rtc.Room()
        self.samples = {}
        self.tasks = set()
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
        self.room.register_byte_stream_handler(topic, lambda reader, _: self.keep(self.take(reader)))

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

        self.room.register_text_stream_handler(TOPIC, lambda reader, _: self.keep(take(reader)))
        self.room.local_participant.register_rpc_method(METHOD, answer)

    async def heard(self):
        return self.came

    async def beside(self, to, messageMs, callMs):
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
                self.keep(work())
                due = max(due + seconds, time.monotonic())

        self.going = [self.keep(each(messageMs / 1000, message)), self.keep(each(callMs / 1000, call))]

    async def stopBeside(self):
        for task in self.going:
            task.cancel()
        return {"messages": self.messages, "calls": self.calls}

    def keep(self, work):
        """The loop holds its tasks weakly."""
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task


COMMANDS = (
    *("connect", "others", "clock", "usage", "listen", "send"),
    *("taken", "hear", "heard", "beside", "stopBeside"),
)


async def answer(participant, line):
    message = json.loads(line)
    number, command = message.pop("id"), message.pop("command")
    try:
        if command not in COMMANDS:
            raise ValueError(f'Cannot do what this participant does not know: command is "{command}"')
        result = await getattr(participant, command)(**message)
        write({"id": number, "result": result if result is not None else {}})
    except Exception as error:
        write({"id": number, "error": str(error) or type(error).__name__})


async def main():
    loop = asyncio.get_running_loop()
    lines = asyncio.Queue()

    def read():
        for line in sys.stdin:
            loop.call_soon_threadsafe(lines.put_nowait, line)
        loop.call_soon_threadsafe(lines.put_nowait, None)

    threading.Thread(target=read, daemon=True).start()
    participant = Participant()
    while (line := await lines.get()) is not None:
        participant.keep(answer(participant, line))
    threading.Timer(END_SECONDS, os._exit, [1]).start()
    await participant.room.disconnect()


asyncio.run(main())
os._exit(0)
