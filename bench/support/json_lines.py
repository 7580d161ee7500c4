"""json_lines.js for Python: the loop of a process that is told what to do by JSON lines."""

import asyncio
import json
import os
import sys
import threading

END_SECONDS = 5

tasks = set()


def write(message):
    sys.stdout.write(json.dumps({key: value for key, value in message.items() if value is not None}) + "\n")
    sys.stdout.flush()


def keep(work):
    """A task of its own, which asyncio's loop would hold but weakly."""
    task = asyncio.ensure_future(work)
    tasks.add(task)
    task.add_done_callback(tasks.discard)
    return task


def serve(make, commands):
    """Lets the participant that `make` makes answer until stdin ends. Does not return."""
    asyncio.run(answer_all(make, commands))
    os._exit(0)


async def answer_all(make, commands):
    loop = asyncio.get_running_loop()
    lines = asyncio.Queue()

    def read():
        for line in sys.stdin:
            loop.call_soon_threadsafe(lines.put_nowait, line)
        loop.call_soon_threadsafe(lines.put_nowait, None)

    threading.Thread(target=read, daemon=True).start()
    participant = make()
    while (line := await lines.get()) is not None:
        keep(answer(participant, commands, line))
    threading.Timer(END_SECONDS, os._exit, [1]).start()
    await participant.room.disconnect()


async def answer(participant, commands, line):
    message = json.loads(line)
    number, command = message.pop("id"), message.pop("command")
    try:
        if command not in commands:
            raise ValueError(f'Cannot do what this participant does not know: command is "{command}"')
        result = await getattr(participant, command)(**message)
        write({"id": number, "result": result if result is not None else {}})
    except Exception as error:
        write({"id": number, "error": str(error) or type(error).__name__})
