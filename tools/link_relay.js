// node tools/link_relay.js --from 127.0.0.2:7882 --to 127.0.0.1:7882 [--delay ms] [--rate MB/s] [--queue ms] [--loss probability] [--seed n]
// Puts a line between LiveKit clients and a server (npm run livekit -- --node-ip 127.0.0.2), until Ctrl-C; then says what it carried.
import process from "node:process";
import { parseArgs } from "node:util";
import { LINE, startRelay } from "./lib/servers/link_relay.js";

try {
  const names = Object.keys(LINE);
  const { values } = parseArgs({
    options: Object.fromEntries(["from", "to", ...names].map((name) => [name, { type: "string" }])),
  });
  const line = Object.fromEntries(
    names.map((name) => [name, values[name] === undefined ? LINE[name] : numberOf(name, values[name])]),
  );
  const relay = await startRelay({ from: values.from ?? "127.0.0.2:7882", to: values.to ?? "127.0.0.1:7882", ...line });
  console.log(JSON.stringify({ ready: true, ...relay.line }));
  for (const signal of ["SIGINT", "SIGTERM"]) {
    process.once(signal, () => {
      console.log(JSON.stringify(relay.counts));
      void relay.close();
    });
  }
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}

function numberOf(name, text) {
  const value = Number(text);
  if (!(value >= 0) || text === "") throw new Error(`Cannot relay as --${name} is no number of 0 or more: "${text}"`);
  return value;
}
