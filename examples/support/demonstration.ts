// Demonstration on any transports. Alice streams text token by token to everybody, and sends a file to Bob alone; Carol only listens. The
// results are printed.
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { basename } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { createRuntime, type Progress, type Runtime, type TextStreamReader, type Transport } from "../../mod.ts"; // in a program of yours: from "millrace"
import { probed } from "./loop_probe.ts";
import { Observer } from "./observer.ts";
import { megabytes, ProgressBar } from "./progress_bar.ts";
import { StatePaths } from "./state_paths.ts";

const TEXT =
  "A chat message should not wait for a file. So each stream here is an actor with a life of its own: it is opened, written, " +
  "closed, or it fails, and whoever asks is told why. The bytes go another way, cut and hashed by worker threads, as far as the receiver " +
  "has given credit. So a token of a model, like each word of this text, is heard as soon as it was written, whatever else is under way.";

/** Time between two tokens, in ms, as of a fast model. */
const TOKEN_INTERVAL_MS = 5;

/** Input of the demonstration. */
export interface Task {
  /** Transports of the participants. */
  readonly transports: { readonly alice: Transport; readonly bob: Transport; readonly carol: Transport };
  /** Path of the file to send. */
  readonly file: string;
  /** Folder in which Bob saves the file. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

interface Saved {
  readonly path: string;
  readonly bytes: number;
}

/** Runs the demonstration. Resolves with whether all data arrived unchanged, and nothing else did. */
export async function demonstrate({ transports, file, folder, signal }: Task): Promise<boolean> {
  const states = new StatePaths();
  const bystander = new Observer(transports.carol);
  const carol = await createRuntime({ transport: bystander, inspect: states.of("carol") });
  const bob = await createRuntime({ transport: transports.bob, inspect: states.of("bob") });
  const alice = await createRuntime({ transport: transports.alice, inspect: states.of("alice") });
  const heard = [receiveText(bob), receiveText(carol)];
  const inbox = receiveFile(bob, `${folder}/inbox/`, signal);
  try {
    const start = await probed(() => startWorkers(alice, bob));
    const { result, longestHold } = await probed(() =>
      Promise.all([streamText(alice, signal), sendFile(alice, file, signal), inbox.saved, ...heard])
    );
    const [spoken, sent, saved, ...heardTexts] = result;
    const hashes = await Promise.all([sha256(file, signal), sha256(saved.path, signal)]);

    const sameText = heardTexts.every(({ text }) => text === TEXT);
    const sameFile = hashes[0] === hashes[1];
    const packets = [spoken, sent].map(({ streamId }) => bystander.packetsOf(streamId));
    const paths = [spoken, sent].map(({ streamId }) => states.find(streamId));

    print("text", `${spoken.times.length} tokens to bob and carol: ${sameText ? "the same" : "NOT THE SAME"}`);
    print("", `heard ${delays(spoken.times, heardTexts[0]?.times ?? [])} after they were written`);
    print("file", `${basename(file)}, ${megabytes(saved.bytes)} to bob alone, in ${sent.seconds.toFixed(2)} s`);
    print("", `${megabytes(saved.bytes / sent.seconds)} a second, to ${saved.path}`);
    print("sha256", `${hashes[0]} as sent`);
    print("", `${hashes[1]} as saved: ${sameFile ? "the same" : "NOT THE SAME"}`);
    print("loop", `held for ${longestHold.toFixed(1)} ms at the longest`);
    print("", `and for ${start.longestHold.toFixed(1)} ms when the workers started, before`);
    print(
      "carol",
      `saw ${packets[1] === 0 ? "nothing" : `${packets[1]} PACKETS`} of bob's file, and ${packets[0]} packets of the text`,
    );
    print("actors", "");
    for (const [index, ends] of paths.entries()) {
      for (const { identity, path } of ends) {
        print("", `${index === 0 ? "text" : "file"}  ${identity.padEnd(5)}  ${path.join(" → ")}`);
      }
    }
    const allClosed = paths.every((ends) => ends.length > 1 && ends.every(({ path }) => path.at(-1) === "closed"));
    return sameText && sameFile && packets[1] === 0 && allClosed;
  } finally {
    for (const runtime of [alice, bob, carol]) await runtime.close();
    await inbox.ended();
  }
}

/** Starts all workers by a transfer from Alice to Bob, as their first start takes some time. */
async function startWorkers(alice: Runtime, bob: Runtime): Promise<void> {
  bob.registerByteStreamHandler("start", async (reader) => void await reader.readAll());
  await alice.sendBytes(new Uint8Array(2_000_000), { topic: "start", destinationIdentities: ["bob"] });
}

/** Writes the text as Alice, token by token. Resolves with the time of each token. */
async function streamText(alice: Runtime, signal: AbortSignal): Promise<{ streamId: string; times: number[] }> {
  const writer = await alice.streamText({ topic: "chat", signal });
  const times: number[] = [];
  for (const token of TEXT.match(/\S+\s*/g) ?? []) {
    await wait(TOKEN_INTERVAL_MS);
    times.push(performance.now());
    await writer.write(token);
  }
  await writer.close();
  return { streamId: writer.info.streamId, times };
}

/** Receives the text. Resolves with the text and the time of each part. */
function receiveText(listener: Runtime): Promise<{ text: string; times: number[] }> {
  return new Promise((resolve, reject) => {
    const listen = async (reader: TextStreamReader): Promise<{ text: string; times: number[] }> => {
      const times: number[] = [];
      let text = "";
      for await (const part of reader) {
        times.push(performance.now());
        text += part;
      }
      return { text, times };
    };
    listener.registerTextStreamHandler("chat", (reader) => void listen(reader).then(resolve, reject));
  });
}

async function sendFile(alice: Runtime, file: string, signal: AbortSignal): Promise<{ streamId: string; seconds: number }> {
  const started = performance.now();
  const bar = new ProgressBar("alice → bob");
  try {
    const onProgress = (progress: Progress): void => bar.draw(progress);
    const { streamId } = await alice.sendFile(file, { topic: "files", destinationIdentities: ["bob"], signal, onProgress });
    return { streamId, seconds: (performance.now() - started) / 1000 }; // Bob's receipt has come
  } finally {
    bar.end();
  }
}

/** File that Bob receives. */
interface Inbox {
  readonly saved: Promise<Saved>;
  /** Resolves when saving has ended; an incomplete file has been removed then. */
  ended(): Promise<void>;
}

function receiveFile(bob: Runtime, folder: string, signal: AbortSignal): Inbox {
  let saving: Promise<Saved> | undefined;
  const saved = new Promise<Saved>((resolve, reject) => {
    bob.registerByteStreamHandler("files", (reader) => {
      saving = reader.saveTo(folder, { signal });
      saving.then(resolve, reject);
    });
  });
  return { saved, ended: async () => void await Promise.allSettled([saving]) };
}

async function sha256(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  for await (const part of createReadStream(path, { highWaterMark: 1 << 20, signal })) hash.update(part as Uint8Array);
  return hash.digest("hex");
}

/** Formats the delays from writing tokens to receiving them. */
function delays(written: readonly number[], heard: readonly number[]): string {
  const sorted = heard.map((time, index) => time - (written[index] ?? time)).sort((a, b) => a - b);
  const median = sorted[sorted.length >> 1] ?? 0;
  return `${median.toFixed(1)} ms (median; longest ${(sorted.at(-1) ?? 0).toFixed(1)} ms)`;
}

function print(label: string, text: string): void {
  console.log(`${label.padEnd(8)}${text}`.trimEnd());
}
