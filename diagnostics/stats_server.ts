import { chmod, lstat, unlink } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { platform } from "node:os";
import { StreamError } from "../errors.ts";
import type { Runtime } from "../actors/runtime/runtime.ts";

/** Server of a runtime's stats. */
export interface StatsServer extends AsyncDisposable {
  /** Path of the socket. */
  readonly path: string;
  /** Ends the server and its connections, and removes the socket. Idempotent. */
  close(): Promise<void>;
}

/**
 * Serves a runtime's stats on a local socket, for `millrace top --socket PATH`: a line of JSON for each connection, and one more for each line
 * that comes. Only the user of this process may connect. It does not keep the process alive.
 *
 * `path`: a file to be made, on Windows a pipe, such as `\\.\pipe\agent`. Rejects with "file-exists" if something else is there, or if a
 * process listens there; with "file-error" if the socket cannot be made. A socket that a dead process has left is replaced.
 *
 * @example
 * ```ts no-run
 * import { serveStats } from "millrace/diagnostics";
 *
 * const server = await serveStats(runtime, "/run/user/1000/agent.sock"); // millrace top --socket /run/user/1000/agent.sock
 * ```
 */
export async function serveStats(runtime: Runtime, path: string): Promise<StatsServer> {
  if (typeof path !== "string" || path === "") {
    throw new StreamError(
      "invalid-argument",
      `Cannot serve the stats as the path must be a non-empty string: got ${String(path)}`,
    );
  }
  const connections = new Set<Socket>();
  const server = createServer((socket) => {
    connections.add(socket);
    socket.unref();
    const tell = (): void => void socket.write(`${JSON.stringify(runtime.stats())}\n`);
    socket.on("error", () => {}).on("close", () => connections.delete(socket));
    socket.setEncoding("utf8").on("data", (text: string) => {
      if (text.includes("\n") && socket.writableLength === 0) tell();
    });
    tell();
  });
  if (platform() !== "win32") await clear(path);
  await listen(server, path);
  server.unref();
  if (platform() !== "win32") await chmod(path, 0o600);
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> =>
    closing ??= new Promise((resolve) => {
      server.close(() => resolve()); // removes the socket
      for (const socket of connections) socket.destroy();
    });
  return { path, close, [Symbol.asyncDispose]: close };
}

/** Removes a socket to which nobody listens. */
async function clear(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return;
  const inUse = found.isSocket() ? "a process listens there" : "another file is there";
  if (!found.isSocket() || await isHeard(path)) {
    throw new StreamError("file-exists", `Cannot serve the stats as ${inUse}: path is "${path}"`);
  }
  await unlink(path).catch(() => {}); // `listen` tells of what is left
}

async function isHeard(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    return await new Promise((resolve) => {
      socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    });
  } finally {
    socket.destroy();
  }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => {
      const message = `Cannot serve the stats as the socket cannot be made (${cause.message}): path is "${path}"`;
      reject(new StreamError("file-error", message, { cause }));
    });
    server.listen(path, resolve);
  });
}
