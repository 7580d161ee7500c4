// Locks of an origin, which its tabs and workers share. The browser frees those of a tab that is closed, and of a worker that ends.

/**
 * Takes a lock, alone or with others that share it, once nobody else has it. Resolves with the call that frees it. Without a secure context
 * browsers have no locks, and no files that need them.
 */
export function takeLock(name: string, mode: LockMode = "exclusive"): Promise<() => void> {
  const { locks } = navigator as { locks?: LockManager };
  if (locks === undefined) return Promise.resolve(() => {});
  return new Promise((taken, refused) => {
    locks.request(name, { mode }, () => new Promise<void>((free) => taken(free))).catch(refused);
  });
}

/** Name of the lock that writers of a file of the origin's own have: it is removed when none of them has it open. */
export function lockOfWriters(id: string): string {
  return `millrace.write.${id}`;
}

/** Works under a lock, alone. */
export async function withLock<T>(name: string, work: () => Promise<T>): Promise<T> {
  const free = await takeLock(name);
  try {
    return await work();
  } finally {
    free();
  }
}

/** Works under a lock if nobody has it, or does nothing. */
export async function withFreeLock(name: string, work: () => Promise<void>): Promise<void> {
  const { locks } = navigator as { locks?: LockManager };
  await locks?.request(name, { ifAvailable: true }, async (lock) => {
    if (lock !== null) await work();
  });
}
