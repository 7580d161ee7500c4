// How long the import of mod.ts takes in a fresh process, in milliseconds, and how many workers it started: run by figures.ts.
// On Deno it has no permission to read files: modules are all it reads, or it fails.
const began = performance.now();
await import("../mod.ts");
const took = performance.now() - began;
const { sharedCodecPool } = await import("../workers/pool/shared.ts");
console.log(JSON.stringify({ took, workers: sharedCodecPool().workers }));
export {};
