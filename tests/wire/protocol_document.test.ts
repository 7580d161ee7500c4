// The example of PROTOCOL.md, compared with the code: other implementations begin there.
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { MAX_LINE_BYTES } from "../../actors/records/lines.ts";
import { CANCELLED, FAILED, REPLY_TO, REQUEST_STATE } from "../../actors/requests/request.ts";
import { type ControlMessage, decodeControl, encodeControl } from "../../protocol/wire/control.ts";
import { encodeFrameHeader } from "../../protocol/wire/frames.ts";
import { encodeTrailer } from "../../protocol/wire/extension.ts";
import { encodeHeader } from "../../protocol/wire/header.ts";
import { suite } from "../support/harness.ts";

const test = suite("PROTOCOL.md");

const WINDOW = 1_048_576;
const data = new Uint8Array(20_000);
const digest = new Uint8Array(createHash("sha256").update(data).digest());
const streamDigest = createHash("sha256").update(digest).digest("base64");
const document = readFileSync(documentPath(), "utf8");

test("PROTOCOL.md: names the attributes of requests and records with their values, and the longest line", () => {
  for (const name of [REPLY_TO, REQUEST_STATE, CANCELLED, FAILED, "format"]) assert.match(document, `\`${name}\``);
  assert.match(document, `at most ${MAX_LINE_BYTES.toLocaleString("en")} bytes without its end`);
});

test("PROTOCOL.md: hello", () => {
  isControl("hex hello", {
    kind: "hello",
    instance: "b1",
    streamWindow: WINDOW,
    credit: WINDOW,
    idleTimeout: 30_000,
    encodings: ["raw"],
    answer: true,
  });
});

test("PROTOCOL.md: header", () => {
  const info = {
    streamId: "s-1",
    mimeType: "application/octet-stream",
    topic: "samples",
    timestamp: 1_767_225_600_000,
    size: data.length,
    attributes: { room: "7" },
    name: "",
  };
  const extension = { instance: "a1", sequence: 0, format: "framed", confirm: true, named: true, topic: "samples" } as const;
  assert.equal(JSON.parse(block("json header")), encodeHeader({ kind: "bytes", info }, extension, undefined));
});

test("PROTOCOL.md: claim", () => {
  const row = { sequence: 0, claim: "claimed", credit: WINDOW, received: 0, taken: 0 } as const;
  isControl("hex claim", { kind: "state", instance: "b1", about: "a1", credit: WINDOW, receiving: [row], sending: [] });
});

test("PROTOCOL.md: frame", () => {
  const header = encodeFrameHeader({ offset: 0, length: data.length, encoding: "raw", digest, payload: data.length });
  assert.equal(bytesOf("hex frame"), [...header]);
});

test("PROTOCOL.md: trailer", () => {
  assert.equal(JSON.parse(block("json trailer")), encodeTrailer({}, { bytes: data.length, chunks: 2, digest: streamDigest }));
});

test("PROTOCOL.md: receipt", () => {
  const row = {
    sequence: 0,
    claim: "claimed",
    credit: WINDOW,
    received: data.length,
    taken: data.length,
    end: "done",
    digest: streamDigest,
  } as const;
  isControl("hex receipt", { kind: "state", instance: "b1", about: "a1", credit: WINDOW + 5_000, receiving: [row], sending: [] });
});

test.run();

function isControl(name: string, message: ControlMessage): void {
  const bytes = bytesOf(name);
  assert.equal(bytes, [...encodeControl(message)]);
  assert.equal(decodeControl(new Uint8Array(bytes)), message);
}

/** Bytes of a block. Text after two spaces, except at a line's beginning, is commentary. */
function bytesOf(name: string): number[] {
  const lines = block(name).split("\n").map((line) => line.trim().split("  ")[0] ?? "");
  return lines.join(" ").trim().split(/\s+/).map((pair) => Number.parseInt(pair, 16));
}

function block(name: string): string {
  const found = document.split(`\n\`\`\`${name}\n`)[1]?.split("\n```")[0];
  if (found === undefined) throw new Error(`Cannot find a block in PROTOCOL.md: name is "${name}"`);
  return found;
}

/** Path beside package.json, above this file or its compiled form. */
function documentPath(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "package.json"))) folder = dirname(folder);
  return join(folder, "PROTOCOL.md");
}
