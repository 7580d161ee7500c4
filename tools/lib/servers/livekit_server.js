// The LiveKit server that tests and `npm run livekit` use: where it is, how it is built where it is not, and what it is told.
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import process from "node:process";
import { join } from "node:path";
import { get } from "node:http";
import { startGuarded, untilReady } from "./guarded.js";
import { withLock } from "../lock.js";
import { onPath } from "../programs/on_path.js";
import { run } from "../processes.js";
import { root } from "../runtime.js";

const VERSION = "v1.13.5";
const MODULE = "github.com/livekit/livekit-server/cmd/server";
/** A slow machine with an empty cache takes some ten minutes. */
const BUILD_SECONDS = 1800;
const SAY_EVERY_SECONDS = 20;

const folder = join(root, "tools", "livekit");
const suffix = process.platform === "win32" ? ".exe" : "";
const built = join(folder, "bin", `livekit-server-${VERSION}${suffix}`);

/** The server's path, or undefined. */
export function findLivekitServer() {
  return onPath("livekit-server") ?? (existsSync(built) ? built : undefined);
}

/** Builds the server by Go, unless that was done, and resolves with its path. `say` is given lines for whoever waits. */
export async function buildLivekitServer(say) {
  const go = onPath("go");
  if (go === undefined) {
    throw new Error(
      "Cannot find a LiveKit server, nor Go to build one: put livekit-server on the PATH (https://docs.livekit.io/home/self-hosting/local), " +
        "or name it in LIVEKIT_SERVER, or install Go (https://go.dev/dl) and run this again",
    );
  }
  return await withLock("build-livekit-server", BUILD_SECONDS, async () => {
    if (!existsSync(built)) await build(go, say);
    return built;
  });
}

async function build(go, say) {
  const target = join(folder, "bin", "part"); // one builds at a time; what is there was left by one that was killed
  rmSync(target, { recursive: true, force: true });
  const started = performance.now();
  say(`Building the LiveKit server ${VERSION} by Go, this once: it takes a minute or two`);
  const timer = setInterval(() => {
    say(`  still building, for ${Math.round((performance.now() - started) / 1000)} s`);
  }, SAY_EVERY_SECONDS * 1000);
  try {
    mkdirSync(target, { recursive: true });
    const { code, output } = await run([go, "install", `${MODULE}@${VERSION}`], {
      env: { GOBIN: target },
      seconds: BUILD_SECONDS,
    });
    if (code !== 0) throw new Error(`Cannot build the LiveKit server as go install failed:\n${output}`);
    renameSync(join(target, `server${suffix}`), built); // whole, or not there
  } finally {
    clearInterval(timer);
    rmSync(target, { recursive: true, force: true });
  }
}

/**
 * What a server on these ports is told, as the text of a configuration, and the key and secret that it takes. `redis` ("127.0.0.1:6379")
 * makes it one of several that share rooms; `relayed` has clients send their media to 127.0.0.2, where a relay takes it (link_relay.js).
 */
export function livekitConfig({ port, udpPort, redis, relayed = false }) {
  const own = readFileSync(join(folder, "loopback.yaml"), "utf8")
    .replace(/^port: \d+/m, `port: ${port}`)
    .replace(/^( +)udp_port: \d+/m, `$1udp_port: ${udpPort}`);
  // Ice lite: a server that looked for ways itself would find the one past the relay.
  const text = relayed ? own.replace(/^( +)node_ip: .+/m, "$1node_ip: 127.0.0.2\n$1use_ice_lite: true") : own;
  const [, key, secret] = /^keys: \{ (\w+): "(.+)" \}$/m.exec(text);
  return {
    text: redis === undefined ? text : `${text}redis: { address: "${redis}" }\n`,
    key,
    secret,
    url: `ws://127.0.0.1:${port}`,
  };
}

/** Starts a server that ends with this process at the latest, and resolves when it answers. */
export async function startLivekitServer(path, config, port, options = {}) {
  const env = { ...ownEnvironment(), LIVEKIT_CONFIG: config.text };
  const server = startGuarded([path], { ...options, env });
  await untilReady(server, "the LiveKit server", () => answers(port));
  return server;
}

/** Without the variables that would change what the configuration says: another address, say, or a Redis. */
function ownEnvironment() {
  const changing = /^(LIVEKIT_.*|NODE_IP|UDP_PORT|REDIS_.*)$/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !changing.test(name)));
}

function answers(port) {
  return new Promise((resolve) => {
    const request = get({ host: "127.0.0.1", port, agent: false, timeout: 1000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.once("timeout", () => request.destroy());
    request.once("error", () => resolve(false));
  });
}
