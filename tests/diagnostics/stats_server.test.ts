// serveStats(): stats of a runtime on a local socket.
import { access, stat, writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { serveStats } from "../../diagnostics/mod.ts";
import type { RuntimeStats } from "../../mod.ts";
import { suite } from "../support/harness.ts";
import { inPair } from "../support/hub/hub_fixture.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";

const test = suite("serveStats");

test("serveStats(): gives a line for each connection, and one for each line that comes", () =>
  inTemporaryFolder(async (folder) => {
    const path = join(folder, "s.sock");
    await inPair(async (alice) => {
      const server = await serveStats(alice, path);
      assert.is(server.path, path);
      assert.is((await stat(path)).mode & 0o777, 0o600, "nobody else may connect");
      const client = new Client(path);
      const first = await client.next();
      assert.equal([first.identity, first.open.length], ["alice", 0]);
      const writer = await alice.streamText({ topic: "t" });
      client.socket.write("\n");
      assert.is((await client.next()).open[0]?.topic, "t");
      await writer.close();
      await server.close();
      await server.close();
      await client.closed;
      assert.is(await exists(path), false, "the socket is removed");
    });
  }));

test("serveStats(): a runtime that is closed still tells its state", () =>
  inTemporaryFolder(async (folder) => {
    await inPair(async (alice) => {
      const server = await serveStats(alice, join(folder, "s.sock"));
      await alice.close();
      const client = new Client(server.path);
      assert.is((await client.next()).state, "closed");
      await server.close();
    });
  }));

test("serveStats(): a path in use is refused, and a socket that a dead process left is replaced", () =>
  inTemporaryFolder(async (folder) => {
    await inPair(async (alice, bob) => {
      const path = join(folder, "s.sock");
      const server = await serveStats(alice, path);
      assert.match(
        await failure(serveStats(bob, path)),
        /^file-exists: Cannot serve the stats as a process listens there: path is /,
      );
      await server.close();
      const file = join(folder, "file");
      await writeFile(file, "precious");
      assert.match(
        await failure(serveStats(bob, file)),
        /^file-exists: Cannot serve the stats as another file is there: path is /,
      );
      assert.match(
        await failure(serveStats(bob, join(folder, "no", "s.sock"))),
        /^file-error: Cannot serve the stats as the socket cannot be made/,
      );
      for (const wrong of ["", 5]) {
        assert.match(await failure(serveStats(bob, wrong as string)), /^invalid-argument: .*non-empty string: got/);
      }
    });
  }));

test.run();

/** Client that reads lines. */
class Client {
  readonly socket: Socket;
  readonly closed: Promise<void>;
  #text = "";
  #look: () => void = () => {};

  constructor(path: string) {
    this.socket = connect(path);
    this.socket.setEncoding("utf8").on("data", (text: string) => {
      this.#text += text;
      this.#look();
    }).on("error", () => {});
    this.closed = new Promise((resolve) => void this.socket.once("close", () => resolve()));
  }

  async next(): Promise<RuntimeStats> {
    await new Promise<void>((resolve) => {
      this.#look = () => {
        if (this.#text.includes("\n")) resolve();
      };
      this.#look();
    });
    const [line = "", ...rest] = this.#text.split("\n");
    this.#text = rest.join("\n");
    return JSON.parse(line) as RuntimeStats;
  }
}

async function failure(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "";
  } catch (error) {
    return `${(error as { code: string }).code}: ${(error as Error).message}`;
  }
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(() => true, () => false);
}
