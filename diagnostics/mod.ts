/**
 * Runtimes that can be looked at from outside, on Node, Bun and Deno: stats on a local socket, and answers to `millrace doctor`. An entry of its
 * own, so that `millrace` opens no sockets and answers nobody unless it is told to.
 *
 * @example
 * ```ts
 * import { createHub, createRuntime } from "millrace";
 * import { answerDoctor, examine } from "millrace/diagnostics";
 *
 * const hub = createHub();
 * const alice = await createRuntime({ transport: hub.join("alice") });
 * const bob = await createRuntime({ transport: hub.join("bob") });
 *
 * answerDoctor(bob);
 * const { latency, there } = await examine(alice, "bob", { pings: 5, seconds: 0.1 });
 * console.log(`${there.millrace} on ${there.platform}, half of the answers within ${latency.p50} ms`);
 * await alice.close();
 * await bob.close();
 * ```
 *
 * @module
 */
export { answerDoctor } from "./doctor_answers.ts";
export { type Examination, type ExaminationOptions, examine, type Latency } from "./examination.ts";
export type { About } from "./about.ts";
export { serveStats, type StatsServer } from "./stats_server.ts";
