// A LiveKit server of a program's own, on ports that nobody else has; where there is none it is built first, by Go.
import { buildLivekitServer, livekitConfig, startLivekitServer } from "./livekit_server.js";
import { freePort } from "./ports.js";
import { find } from "../programs/programs.js";

/** Resolves with the server, which ends with this process at the latest, and the variables that name it to a program. */
export async function startOwnServer(say) {
  const path = find("livekit") ?? await buildLivekitServer(say);
  const port = await freePort();
  const config = livekitConfig({ port, udpPort: await freePort() });
  const server = await startLivekitServer(path, config, port);
  return { server, env: { LIVEKIT_URL: config.url, LIVEKIT_API_KEY: config.key, LIVEKIT_API_SECRET: config.secret } };
}
