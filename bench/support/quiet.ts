// Imported before @livekit/rtc-node, which logs to stdout and looks only once, as it is loaded, whether it should. The runner of tests says
// it from outside, for Bun, which looks before any of this runs.
import process from "node:process";

process.env["NODE_ENV"] = "production";
