// node tools/bench/link_relay.js --from 127.0.0.2:7882 --to 127.0.0.1:7882 [--delay ms] [--rate MB/s] [--queue ms] [--loss probability] [--seed n].
// Relays packets between LiveKit clients and a server (npm run livekit -- --node-ip 127.0.0.2) over a simulated line, until Ctrl-C. Then
// prints the numbers of packets.
import process from "node:process";
import { parseArgs } from "node:util";
import { LINE, startRelay } from "../lib/servers/link_relay.js";

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
  if (!(value >= 0) || text === "") {
    throw new Error(`Cannot relay as --${name} must be a number of at least 0: current value is "${text}"`);
  }
  return value;
}
