// Start of a LiveKit server for one program, on free ports.
import { buildLivekitServer, livekitConfig, startLivekitServer } from "./livekit_server.js";
import { freePort } from "./ports.js";
import { find } from "../programs/programs.js";

/** Starts a server, which ends with this process. Builds a missing one by Go. Resolves with the server and the variables that name it. */
export async function startOwnServer(log) {
  const path = find("livekit") ?? await buildLivekitServer(log);
  const port = await freePort();
  const config = livekitConfig({ port, udpPort: await freePort() });
  const server = await startLivekitServer(path, config, port);
  return { server, env: { LIVEKIT_URL: config.url, LIVEKIT_API_KEY: config.key, LIVEKIT_API_SECRET: config.secret } };
}
