"""A participant that uses the `livekit` package as its users do; commands and events as in json_lines.js, contents as in contents.js."""

import base64
import dataclasses
import hashlib
import os
import sys
import tempfile
from pathlib import Path

from livekit import rtc

sys.path.append(str(Path(__file__).parents[3] / "bench" / "support"))
from json_lines import keep, serve, write

TOLD_BYTES = 4_096
CHARACTERS = ["a", "é", "€", "😀", "\n", "ß", "한", "Z"]


def bytes_of(content):
    if "base64" in content:
        return base64.b64decode(content["base64"])
    if "length" in content:
        return byte_pattern(content["length"], content["seed"])
    return text_of(content).encode()


def text_of(content):
    if "text" in content:
        return content["text"]
    if "repeat" in content:
        return content["repeat"] * content["times"]
    if "length" in content:
        return text_pattern(content["length"], content["seed"])
    return bytes_of(content).decode()


def byte_pattern(length, seed):
    whole = bytearray(length)
    state = seed
    for i in range(length):
        state = (state * 1_103_515_245 + 12_345) & 0xFFFFFFFF
        whole[i] = (state >> 16) & 0xFF
    return bytes(whole)


def text_pattern(length, seed):
    parts = []
    state = seed
    left = length
    while left > 0:
        state = (state * 1_103_515_245 + 12_345) & 0xFFFFFFFF
        character = CHARACTERS[(state >> 16) % len(CHARACTERS)]
        if len(character.encode()) > left:
            character = "a"
        parts.append(character)
        left -= len(character.encode())
    return "".join(parts)


def told(whole):
    data = whole.encode() if isinstance(whole, str) else whole
    facts = {"length": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    if len(data) > TOLD_BYTES:
        return facts
    if isinstance(whole, str):
        return {**facts, "text": whole}
    return {**facts, "base64": base64.b64encode(data).decode()}


def options_of(call, options, known):
    given = {}
    for name, value in (options or {}).items():
        if name not in known:
            raise ValueError(f'Cannot give an option to {call} as the SDK has none like it: name is "{name}"')
        given[known[name]] = value
    return given


TO = {"topic": "topic", "destinationIdentities": "destination_identities"}
COMMON = {**TO, "attributes": "attributes"}
WITH_ID = {**COMMON, "streamId": "stream_id"}
BYTES = {"name": "name", "mimeType": "mime_type"}


class Peer:
    def __init__(self):
        self.room = rtc.Room()
        self.open = []

    async def connect(self, url, token):
        self.room.on("data_received", self.on_data)
        self.room.on("disconnected", lambda *_: write({"event": "disconnected"}))
        await self.room.connect(url, token, rtc.RoomOptions(auto_subscribe=False))
        return {"identity": self.room.local_participant.identity}

    async def participants(self):
        return list(self.room.remote_participants)

    async def listen(self, kind, topic):
        register = self.room.register_text_stream_handler if kind == "text" else self.room.register_byte_stream_handler
        register(topic, lambda reader, sender: keep(self.receive(kind, reader, sender)))

    async def sendText(self, content, options=None):
        known = {**COMMON, "replyToId": "reply_to_id", "compress": "compress"}
        given = options_of("send_text", options, known)
        return dataclasses.asdict(await self.room.local_participant.send_text(text_of(content), **given))

    async def sendBytes(self, content, options=None):
        given = options_of("send_bytes", options, {**WITH_ID, **BYTES, "compress": "compress"})
        return dataclasses.asdict(await self.room.local_participant.send_bytes(bytes_of(content), **given))

    async def streamText(self, pieces, options=None, close=None):
        known = {**WITH_ID, "replyToId": "reply_to_id", "totalSize": "total_size", "senderIdentity": "sender_identity"}
        writer = await self.room.local_participant.stream_text(**options_of("stream_text", options, known))
        for piece in pieces:
            await writer.write(text_of(piece))
        return await self.ended(writer, close)

    async def streamBytes(self, pieces, options=None, close=None):
        given = options_of("stream_bytes", options, {**WITH_ID, **BYTES, "totalSize": "total_size"})
        writer = await self.room.local_participant.stream_bytes(given.pop("name", ""), **given)
        for piece in pieces:
            await writer.write(bytes_of(piece))
        return await self.ended(writer, close)

    async def sendFile(self, content, options=None):
        given = options_of("send_file", options, {**WITH_ID, "name": "name", "compress": "compress"})
        with tempfile.TemporaryDirectory(prefix="millrace-peer-") as folder:
            path = os.path.join(folder, given.pop("name", "sent"))
            with open(path, "wb") as file:
                file.write(bytes_of(content))
            return dataclasses.asdict(await self.room.local_participant.send_file(path, **given))

    async def publishData(self, content, options=None):
        await self.room.local_participant.publish_data(bytes_of(content), **options_of("publish_data", options, TO))

    async def performRpc(self, to, method, payload):
        return await self.room.local_participant.perform_rpc(
            destination_identity=to, method=method, payload=payload, response_timeout=5
        )

    async def answerRpc(self, method, response):
        async def handler(data):
            write({"event": "rpc", "from": data.caller_identity, "method": method, "payload": data.payload})
            return response

        self.room.local_participant.register_rpc_method(method, handler)

    async def disconnect(self):
        await self.room.disconnect()

    def on_data(self, packet):
        sender = packet.participant.identity if packet.participant else None
        write({"event": "data", "from": sender, "topic": packet.topic or "", "base64": base64.b64encode(packet.data).decode()})

    async def receive(self, kind, reader, sender):
        info = dataclasses.asdict(reader.info)
        parts = []
        error = None
        try:
            async for part in reader:
                parts.append(part)
        except rtc.StreamError as thrown:
            error = str(thrown)
        content = told("".join(parts) if kind == "text" else b"".join(parts))
        at_end = dataclasses.asdict(reader.info)
        write({"event": "received", "kind": kind, "from": sender, "info": info, "infoAtEnd": at_end, "content": content,
               "parts": len(parts), "error": error})

    async def ended(self, writer, close):
        if close is False:
            self.open.append(writer)
        else:
            await writer.aclose(**options_of("aclose", close, {"reason": "reason", "attributes": "attributes"}))
        return dataclasses.asdict(writer.info)


COMMANDS = ("connect participants listen sendText sendBytes streamText streamBytes sendFile publishData performRpc answerRpc "
            "disconnect").split()


serve(Peer, COMMANDS)
