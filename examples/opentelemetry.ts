// Spans and metrics of OpenTelemetry, from the channels of a program's runtimes. `instrument()` once, before runtimes are made. A send is a span
// below the caller's. Its context goes in Millrace's header attribute, so that the receiver's span is below the send's, in any room. A handler
// runs within its span.
import { AsyncLocalStorage } from "node:async_hooks";
import { channel, subscribe, unsubscribe } from "node:diagnostics_channel";
import {
  type Attributes,
  type Context,
  context,
  type ContextManager,
  metrics,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import type { FlowWaitMessage, StreamCloseMessage, StreamMessage, TraceMessage } from "../mod.ts"; // in a program of yours: from "millrace"

/** Store of the active context. A handler can run within its span only if the channel and OpenTelemetry have the same store. */
const store = new AsyncLocalStorage<Context>();

/** Context manager on that store, for `context.setGlobalContextManager` or the option `contextManager` of NodeSDK. */
export const contextManager: ContextManager = {
  active: () => store.getStore() ?? ROOT_CONTEXT,
  with: (active, fn, thisArg, ...args) => store.run(active, () => fn.call(thisArg as ThisParameterType<typeof fn>, ...args)),
  bind: (active, target) => {
    if (typeof target !== "function") return target;
    return ((...args: unknown[]): unknown =>
      store.run(active, () => (target as (...args: unknown[]) => unknown)(...args))) as typeof target;
  },
  enable: () => contextManager,
  disable: () => contextManager,
};

/** Turns the streams of all runtimes of this process into spans and metrics. Returns the call that ends this. */
export function instrument(): () => void {
  const tracer = trace.getTracer("millrace");
  const meter = metrics.getMeter("millrace");
  const spans = new WeakMap<object, Span>();
  const open = meter.createUpDownCounter("millrace.streams.open", { description: "Open streams" });
  const bytes = meter.createCounter("millrace.stream.bytes", { description: "Bytes of ended streams", unit: "By" });
  const duration = meter.createHistogram("millrace.stream.duration", { description: "Time that a stream took", unit: "ms" });
  const waits = meter.createCounter("millrace.flow.waits", { description: "Waits that flow control has caused" });
  const peers = meter.createUpDownCounter("millrace.peers", { description: "Other participants" });

  /** Starts the span of a message below a context. Returns the context with the span. */
  const begin = (message: TraceMessage, parent: Context): Context => {
    const { direction, streamId } = message;
    const kind = direction === "out" ? SpanKind.PRODUCER : SpanKind.CONSUMER;
    const attributes = { ...attributesOf(message), "millrace.stream_id": streamId };
    const span = tracer.startSpan(direction === "out" ? "millrace send" : "millrace receive", { kind, attributes }, parent);
    spans.set(message, span);
    return trace.setSpan(parent, span);
  };
  const end = (message: TraceMessage): void => {
    const span = spans.get(message);
    if (message.error instanceof Error) {
      span?.recordException(message.error);
      span?.setStatus({ code: SpanStatusCode.ERROR, message: message.error.message });
    }
    span?.setAttribute("millrace.bytes", message.bytes).end();
  };

  const listeners: Record<string, (message: never) => void> = {
    "tracing:millrace.send:start": (message: TraceMessage) => propagation.inject(begin(message, context.active()), message.trace),
    "tracing:millrace.send:asyncEnd": end,
    "tracing:millrace.receive:asyncEnd": end,
    "millrace:stream:open": (message: StreamMessage) => open.add(1, attributesOf(message)),
    "millrace:stream:close": (message: StreamCloseMessage) => {
      const attributes = { ...attributesOf(message), ...(message.code === undefined ? {} : { "error.type": message.code }) };
      open.add(-1, attributesOf(message));
      bytes.add(message.bytes, attributes);
      duration.record(message.duration, attributes);
    },
    "millrace:flow:wait": ({ waitsFor }: FlowWaitMessage) => waits.add(1, { "millrace.waits_for": waitsFor }),
    "millrace:peer:join": () => peers.add(1),
    "millrace:peer:leave": () => peers.add(-1),
  };
  for (const [name, listener] of Object.entries(listeners)) subscribe(name, listener as (message: unknown) => void);
  const received = channel("tracing:millrace.receive:start");
  received.bindStore(store, (message) => {
    const traced = message as TraceMessage;
    return begin(traced, propagation.extract(ROOT_CONTEXT, traced.trace));
  });
  return () => {
    for (const [name, listener] of Object.entries(listeners)) unsubscribe(name, listener as (message: unknown) => void);
    received.unbindStore(store);
  };
}

function attributesOf({ direction, kind, names }: StreamMessage): Attributes {
  return {
    "millrace.direction": direction,
    "millrace.kind": kind,
    ...(names === undefined ? {} : { "millrace.topic": names.topic }),
  };
}
