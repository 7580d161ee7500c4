// examples/opentelemetry.ts with OpenTelemetry's own SDK.
import { context, metrics, propagation, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { BasicTracerProvider, InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import * as assert from "uvu/assert";
import { contextManager, instrument } from "../../examples/opentelemetry.ts";
import { suite } from "../support/harness.ts";
import { pattern } from "../support/bytes.ts";
import { TO_BOB } from "../support/handlers.ts";
import { inPair } from "../support/hub/hub_fixture.ts";

const spanExporter = new InMemorySpanExporter();
const metricExporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
const metricReader = new PeriodicExportingMetricReader({ exporter: metricExporter, exportIntervalMillis: 1_000_000 });
const meterProvider = new MeterProvider({ readers: [metricReader] });
context.setGlobalContextManager(contextManager);
propagation.setGlobalPropagator(new W3CTraceContextPropagator());
trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spanExporter)] }));
metrics.setGlobalMeterProvider(meterProvider);
const tracer = trace.getTracer("test");

const test = suite("examples/opentelemetry.ts");

test("instrument(): spans of sender, receiver and handler are one trace, its context in the header", async () => {
  const spans = await instrumented(() =>
    inPair(async (alice, bob) => {
      bob.registerByteStreamHandler("t", async (reader) => {
        await reader.readAll();
        tracer.startSpan("in the handler").end();
      });
      await tracer.startActiveSpan("caller", async (span) => {
        await alice.sendBytes(pattern(100_000), TO_BOB);
        span.end();
      });
    })
  );
  const [caller, send, receive, inner] = ["caller", "millrace send", "millrace receive", "in the handler"].map((name) =>
    named(spans, name)
  );
  assert.equal([send, receive, inner].map((span) => span?.parentSpanContext?.spanId), [caller, send, receive].map(idOf));
  assert.is(new Set(spans.map((span) => span.spanContext().traceId)).size, 1);
  assert.equal([send?.kind, receive?.kind], [SpanKind.PRODUCER, SpanKind.CONSUMER]);
  assert.equal([send, receive].map((span) => span?.attributes["millrace.bytes"]), [100_000, 100_000]);
  assert.ok([send, receive].every((span) => span?.status.code === SpanStatusCode.UNSET));
  assert.ok([send, receive].every((span) => !("millrace.topic" in (span?.attributes ?? {}))), "names were not asked for");
});

test("instrument(): a failure is the spans' error", async () => {
  const spans = await instrumented(() =>
    inPair(async (alice, bob) => {
      bob.registerTextStreamHandler("t", () => {
        throw new TypeError("broken");
      });
      await alice.sendText("hi", { ...TO_BOB, confirm: true }).then(() => assert.unreachable(), () => {});
    })
  );
  for (const [name, words] of [["millrace send", /cancelled it/], ["millrace receive", /broken/]] as const) {
    const span = named(spans, name);
    assert.is(span?.status.code, SpanStatusCode.ERROR);
    assert.match(span?.status.message ?? "", words);
    assert.is(span?.events[0]?.name, "exception");
  }
});

test("instrument(): counts streams, bytes, durations, waits and participants", async () => {
  await instrumented(() =>
    inPair(async (alice, bob) => {
      bob.registerByteStreamHandler("t", async (reader) => void await reader.readAll());
      await alice.sendBytes(pattern(50_000), TO_BOB);
    })
  );
  await metricReader.forceFlush();
  const found = new Map(
    metricExporter.getMetrics().at(-1)?.scopeMetrics.flatMap(({ metrics: all }) =>
      all.map(({ descriptor, dataPoints }) => [descriptor.name, dataPoints] as const)
    ),
  );
  const sum = (name: string): number => (found.get(name) ?? []).reduce((total, { value }) => total + (value as number), 0);
  assert.is(sum("millrace.streams.open"), 0, "all have ended");
  assert.ok(sum("millrace.stream.bytes") >= 100_000);
  assert.ok(found.has("millrace.peers") && found.has("millrace.stream.duration"));
  const codes = (found.get("millrace.stream.bytes") ?? []).map(({ attributes }) => attributes["error.type"]);
  assert.ok(codes.includes("cancelled") && codes.includes(undefined));
});

test("instrument(): ends with the call that it returns", async () => {
  instrument()();
  spanExporter.reset();
  await inPair(async (alice) => void await alice.sendText("hi", { topic: "t" }));
  assert.equal(spanExporter.getFinishedSpans(), []);
});

test.after(async () => await meterProvider.shutdown());

test.run();

/** Spans that ended during some work. */
async function instrumented(work: () => Promise<void>): Promise<readonly ReadableSpan[]> {
  spanExporter.reset();
  const end = instrument();
  try {
    await work();
    await new Promise((resolve) => setImmediate(resolve));
  } finally {
    end();
  }
  return spanExporter.getFinishedSpans();
}

function named(spans: readonly ReadableSpan[], name: string): ReadableSpan | undefined {
  return spans.find((span) => span.name === name);
}

function idOf(span: ReadableSpan | undefined): string | undefined {
  return span?.spanContext().spanId;
}
