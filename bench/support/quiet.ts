// Switches the SDK's logs off. Must be imported before @livekit/rtc-node, which reads the variable once, as it is loaded. The runner of tests
// sets it as well, for Bun, which reads the variable before any import runs.
import process from "node:process";

process.env["NODE_ENV"] = "production";
