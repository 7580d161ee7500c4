// What tests take from here: they load this file by its path, as they run from within dist/ too.
export { startRelay } from "./servers/link_relay.js";
export { livekitConfig, startLivekitServer } from "./servers/livekit_server.js";
export { freePort } from "./servers/ports.js";
export { needed } from "./programs/programs.js";
export { startRedisServer } from "./servers/redis_server.js";
