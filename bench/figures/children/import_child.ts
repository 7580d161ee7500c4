// Milliseconds of an import of mod.ts in a fresh process, and the number of started workers: run by figures.ts.
// On Deno the process has no permission to read files: it reads modules only, or fails.
const began = performance.now();
await import("../../../mod.ts");
const took = performance.now() - began;
const { sharedCodecPool } = await import("../../../workers/pool/node_pool.ts");
console.log(JSON.stringify({ took, workers: sharedCodecPool().workers }));
export {};
