// What tests take from here: they load this file by its path, as they run from within dist/ too.
export { startRelay } from "./link_relay.js";
export { livekitConfig, startLivekitServer } from "./livekit_server.js";
export { freePort } from "./ports.js";
export { needed } from "./programs.js";
export { startRedisServer } from "./redis_server.js";
