// Endpoints for comlink: ports of node:worker_threads, or Web Workers if the modules were loaded over HTTP (Deno with JSR).
import type { Endpoint } from "comlink";
import { parentPort } from "node:worker_threads";

/** Endpoint of this worker to its parent. */
export function ownEndpoint(): Endpoint {
  if (isServed() || parentPort === null) return globalThis as unknown as Endpoint;
  return portEndpoint(parentPort);
}

/** Whether this module was loaded over HTTP. A CommonJS bundle has no URL. */
export function isServed(): boolean {
  const { url } = import.meta as { url?: string };
  return url?.startsWith("http") === true;
}

interface MessageSource {
  on(type: "message", listener: (message: unknown) => void): unknown;
  off(type: "message", listener: (message: unknown) => void): unknown;
  postMessage(message: unknown, transfer?: readonly ArrayBuffer[]): void;
}

/** Adapts a port of Node to comlink. Errors come by "exit", so the only event is "message". */
export function portEndpoint(port: MessageSource): Endpoint {
  const listeners = new Map<EventListenerOrEventListenerObject, (message: unknown) => void>();
  return {
    postMessage: (message: unknown, transfer?: Transferable[]) =>
      port.postMessage(message, transfer as ArrayBuffer[] | undefined),
    addEventListener: (_type, listener) => {
      const listen = (data: unknown): void => {
        const event = { data } as MessageEvent;
        if (typeof listener === "function") listener(event);
        else listener.handleEvent(event);
      };
      listeners.set(listener, listen);
      port.on("message", listen);
    },
    removeEventListener: (_type, listener) => {
      const listen = listeners.get(listener);
      if (listen !== undefined) port.off("message", listen);
      listeners.delete(listener);
    },
  };
}
