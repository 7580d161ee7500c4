// Globals of Node that tests and their fixtures use, in a page.
import { Buffer } from "./node_shims.ts";

type Listener = (error: unknown) => void;

const listeners = new Map<Listener, (event: Event) => void>();

Object.assign(globalThis, {
  Buffer,
  setImmediate: (call: () => void) => setTimeout(call),
  clearImmediate: clearTimeout,
  process: {
    env: {},
    on(name: string, listener: Listener) {
      const listen = (event: Event): void => {
        if (event instanceof PromiseRejectionEvent) listener(event.reason);
      };
      listeners.set(listener, listen);
      if (name === "unhandledRejection") addEventListener("unhandledrejection", listen);
    },
    off(_name: string, listener: Listener) {
      const listen = listeners.get(listener);
      if (listen !== undefined) removeEventListener("unhandledrejection", listen);
    },
  },
});
