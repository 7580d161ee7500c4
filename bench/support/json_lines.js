// A peer program's side of the pipe: commands, answers and events are JSON lines. The program ends when its input does.
import process from "node:process";
import { createInterface } from "node:readline";

/** Longest tidy end once the input has ended, in ms. */
const END_MS = 5_000;

/** Sends an event, which answers no command. */
export function emit(event) {
  write(event);
}

/** Answers each command by the function of its name; `end` tidies up. Commands run concurrently, each answered when done. */
export function serve(commands, end) {
  const lines = createInterface({ input: process.stdin });
  lines.on("line", (line) => {
    const { id, command, ...input } = JSON.parse(line);
    answer(commands, command, input).then(
      (result) => write({ id, result: result ?? {} }),
      (error) => write({ id, error: error?.message ?? String(error) }),
    );
  });
  lines.once("close", () => {
    setTimeout(() => process.exit(1), END_MS).unref();
    end().then(() => process.exit(0), fail);
  });
  process.stdout.on("error", () => {}); // the test is gone, and the input's end is about to say so
  process.on("unhandledRejection", fail);
}

async function answer(commands, command, input) {
  if (!Object.hasOwn(commands, command)) throw new Error(`Cannot do what this peer does not know: command is "${command}"`);
  return await commands[command](input);
}

function fail(error) {
  console.error(error);
  process.exit(1);
}

function write(message) {
  const plain = (_, value) => typeof value === "bigint" ? Number(value) : value;
  process.stdout.write(`${JSON.stringify(message, plain)}\n`);
}
