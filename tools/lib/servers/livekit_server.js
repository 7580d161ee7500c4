// LiveKit server of tests and of `npm run livekit`: its path, its build by Go, its configuration and its start.
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
/** Time limit of the build, in seconds; a slow machine with an empty cache takes some ten minutes. */
const BUILD_SECONDS = 1800;
/** Time between two lines during the build, in seconds. */
const LOG_INTERVAL_SECONDS = 20;

const folder = join(root, "tools", "livekit");
const suffix = process.platform === "win32" ? ".exe" : "";
const built = join(folder, "bin", `livekit-server-${VERSION}${suffix}`);

/** Finds the server; undefined if there is none. */
export function findLivekitServer() {
  return onPath("livekit-server") ?? (existsSync(built) ? built : undefined);
}

/** Builds the server by Go, unless that was done. Resolves with its path; `log` gets lines of progress. */
export async function buildLivekitServer(log) {
  const go = onPath("go");
  if (go === undefined) {
    throw new Error(
      "Cannot find a LiveKit server, nor Go to build one: put livekit-server on the PATH (https://docs.livekit.io/home/self-hosting/local), " +
        "or name it in LIVEKIT_SERVER, or install Go (https://go.dev/dl) and run this again",
    );
  }
  return await withLock("build-livekit-server", BUILD_SECONDS, async () => {
    if (!existsSync(built)) await build(go, log);
    return built;
  });
}

async function build(go, log) {
  const target = join(folder, "bin", "part"); // one process builds at a time, so existing files are those of a killed one
  rmSync(target, { recursive: true, force: true });
  const started = performance.now();
  log(`Building the LiveKit server ${VERSION} by Go, this once: it takes a minute or two`);
  const timer = setInterval(() => {
    log(`  still building, for ${Math.round((performance.now() - started) / 1000)} s`);
  }, LOG_INTERVAL_SECONDS * 1000);
  try {
    mkdirSync(target, { recursive: true });
    const { code, output } = await run([go, "install", `${MODULE}@${VERSION}`], {
      env: { GOBIN: target },
      seconds: BUILD_SECONDS,
    });
    if (code !== 0) throw new Error(`Cannot build the LiveKit server as go install failed:\n${output}`);
    renameSync(join(target, `server${suffix}`), built); // by rename, so that the file is complete
  } finally {
    clearInterval(timer);
    rmSync(target, { recursive: true, force: true });
  }
}

/**
 * Makes the configuration of a server on these ports, with its key and secret. With `redis` ("127.0.0.1:6379") servers share rooms. With
 * `relayed` clients send their media to 127.0.0.2, the address of a relay (link_relay.js).
 */
export function livekitConfig({ port, udpPort, redis, relayed = false }) {
  const own = readFileSync(join(folder, "loopback.yaml"), "utf8")
    .replace(/^port: \d+/m, `port: ${port}`)
    .replace(/^( +)udp_port: \d+/m, `$1udp_port: ${udpPort}`);
  // With ICE lite the server does not search for a path past the relay.
  const text = relayed ? own.replace(/^( +)node_ip: .+/m, "$1node_ip: 127.0.0.2\n$1use_ice_lite: true") : own;
  const [, key, secret] = /^keys: \{ (\w+): "(.+)" \}$/m.exec(text);
  return {
    text: redis === undefined ? text : `${text}redis: { address: "${redis}" }\n`,
    key,
    secret,
    url: `ws://127.0.0.1:${port}`,
  };
}

/** Starts a server, which ends with this process. Resolves when the server answers. */
export async function startLivekitServer(path, config, port, options = {}) {
  const env = { ...ownEnvironment(), LIVEKIT_CONFIG: config.text };
  const server = startGuarded([path], { ...options, env });
  await untilReady(server, "the LiveKit server", () => answers(port));
  return server;
}

/** Copies the environment without variables that override the configuration, such as an address or a Redis. */
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
