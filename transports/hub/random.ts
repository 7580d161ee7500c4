/** Random numbers that can be had again: from 0 up to 1, uniform, the same ones for the same seed. Not for secrets. */
export type Random = () => number;

/** Mulberry32, by Tommy Ettinger: 32 bits of state, good enough to decide the fate of packets. */
export function createRandom(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A seed that depends on another and on a name (FNV-1a), so that each link's fate is its own, whatever the others carry. */
export function deriveSeed(seed: number, name: string): number {
  let hash = (0x811c9dc5 ^ seed) | 0;
  for (let at = 0; at < name.length; at++) hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193);
  return hash;
}
