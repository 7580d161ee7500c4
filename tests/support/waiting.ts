import { connect } from "node:net";

/** Waits until a condition holds. The test's own limit ends the wait. */
export async function until(test: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await test())) await pause(1);
}

/** Lets real time pass, for tests that an event does not happen. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms));
}

/** Lets all microtasks run: the runtime then reports rejections that nobody handled. */
export function macrotask(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

/** Whether a server accepts connections at a URL. */
export async function answers(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  try {
    return await new Promise<boolean>((resolve) =>
      void socket.once("connect", () => resolve(true)).once("error", () => resolve(false))
    );
  } finally {
    socket.destroy();
  }
}
