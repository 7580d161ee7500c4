// Exports for tests. They load this file by its path, as compiled tests run from dist/.
export { buildAgentExamples } from "./programs/agent_examples.js";
export { startFirefox } from "./servers/firefox.js";
export { startRelay } from "./servers/link_relay.js";
export { livekitConfig, startLivekitServer } from "./servers/livekit_server.js";
export { freePort } from "./servers/ports.js";
export { needed } from "./programs/programs.js";
export { startRedisServer } from "./servers/redis_server.js";
