"""Asks the agent of ../livekit_agent.ts from Python, with LiveKit's SDK and without Millrace.

    pip install --requirement requirements.txt
    export LIVEKIT_URL=ws://127.0.0.1:7880 LIVEKIT_API_KEY=devkey LIVEKIT_API_SECRET=...
    python ask.py --room lobby "What is a stream?"

Prints the answer word by word, and saves the report in the folder that --folder names.
"""

import argparse
import asyncio
import os
import pathlib
import sys
import tempfile
import uuid

from livekit import api, rtc


def arguments():
    parser = argparse.ArgumentParser(description="Asks an agent in a LiveKit room")
    parser.add_argument("question")
    parser.add_argument("--room", required=True)
    parser.add_argument("--identity", default="asker")
    parser.add_argument("--agent", default="agent", help="the agent's identity")
    parser.add_argument("--folder", default=".", type=pathlib.Path, help="where the report is saved")
    parser.add_argument("--timeout", default=60, type=float, help="seconds for all of it")
    return parser.parse_args()


async def print_answer(readers):
    while True:
        try:
            async for words in await readers.get():
                print(words, end="", flush=True)
            print()
            return
        except rtc.StreamError as error:  # an incomplete answer; the agent sends an excuse next
            print(f" (broken off: {error})")


async def save_report(readers, folder):
    """Saves a report, which gets its name when it is complete. Uses the last part of the sender's name, and replaces no file."""
    reader = await readers.get()
    name = pathlib.PurePosixPath(reader.info.name.replace("\\", "/")).name or "report"
    with tempfile.TemporaryDirectory(dir=folder, prefix=".report-") as temporary:
        part = pathlib.Path(temporary, "part")
        with open(part, "xb") as file:
            async for data in reader:
                file.write(data)
        os.link(part, folder / name)
    return folder / name


async def ask(room, options):
    """Asks a question; returns when the answer is printed and the report is saved."""
    if options.agent not in room.remote_participants:
        raise LookupError(f'Cannot ask as the agent must be in the room: identity is "{options.agent}"')
    question = str(uuid.uuid4())
    answers, reports = asyncio.Queue(), asyncio.Queue()

    def take(replies):
        def handler(reader, sender):  # the attribute matters: another participant may have asked under this identity
            if sender == options.agent and reader.info.attributes.get("question") == question:
                replies.put_nowait(reader)
            else:
                reader.close()

        return handler

    room.register_text_stream_handler("answers", take(answers))
    room.register_byte_stream_handler("reports", take(reports))
    writer = await room.local_participant.stream_text(
        topic="questions", stream_id=question, destination_identities=[options.agent]
    )
    await writer.write(options.question)
    await writer.aclose()
    printing, saving = print_answer(answers), save_report(reports, options.folder)
    printed, saved = await asyncio.gather(printing, saving, return_exceptions=True)  # if one fails the other continues
    for outcome in (printed, saved):
        if isinstance(outcome, BaseException):
            raise outcome
    print(f"saved {saved}", file=sys.stderr)


async def main():
    options = arguments()
    token = (
        api.AccessToken(os.environ["LIVEKIT_API_KEY"], os.environ["LIVEKIT_API_SECRET"])
        .with_identity(options.identity)
        .with_grants(api.VideoGrants(room_join=True, room=options.room, can_publish_data=True))
        .to_jwt()
    )
    room = rtc.Room()
    try:
        await room.connect(os.environ["LIVEKIT_URL"], token, rtc.RoomOptions(auto_subscribe=False))
        await asyncio.wait_for(ask(room, options), options.timeout)
    except asyncio.TimeoutError:
        sys.exit(f"Cannot ask as the agent must answer in time: seconds are {options.timeout:g}")
    except (LookupError, OSError, rtc.ConnectError, rtc.StreamError) as error:
        sys.exit(str(error))
    finally:
        await room.disconnect()


asyncio.run(main())
