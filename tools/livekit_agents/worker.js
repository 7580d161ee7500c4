// node tools/livekit_agents/worker.js: a worker of @livekit/agents for the tests, at the server that LIVEKIT_URL, LIVEKIT_API_KEY and
// LIVEKIT_API_SECRET name. It runs agent.js in a process of its own for each dispatch of the agent "millrace", until SIGTERM.
import process from "node:process";
import { fileURLToPath } from "node:url";
import { AgentServer, initializeLogger, ServerOptions } from "@livekit/agents";

initializeLogger({ pretty: false, level: "warn" });
const server = new AgentServer(
  new ServerOptions({
    agent: fileURLToPath(new URL("agent.js", import.meta.url)),
    agentName: "millrace",
    wsURL: process.env.LIVEKIT_URL,
    host: "127.0.0.1",
    loadFunc: () => Promise.resolve(0), // a busy machine still takes the one job of a test
  }),
);
server.event.once("worker_registered", () => console.log("registered"));
process.once("SIGTERM", () => {
  server.close().then(() => process.exit(0), (error) => {
    console.error(error);
    process.exit(1);
  });
});
await server.run();
