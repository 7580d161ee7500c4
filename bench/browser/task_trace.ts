// Tasks of a page's main thread, by Chromium's own trace.
import type { CDPSession, Page } from "playwright-core";

/** Longest tasks of a page, in ms: the one that used most CPU time, and the one that took longest. */
export interface LongestTasks {
  readonly cpu: number;
  readonly wall: number;
}

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds of wall time, and of CPU time. */
  readonly dur?: number;
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

/** Watches the tasks of a page's main thread until `stop`. */
export async function watchTasks(page: Page): Promise<{ stop(): Promise<LongestTasks> }> {
  const session = await page.context().newCDPSession(page);
  const events: TraceEvent[] = [];
  session.on("Tracing.dataCollected", ({ value }) => void events.push(...value as unknown as TraceEvent[]));
  await session.send("Tracing.start", { transferMode: "ReportEvents", traceConfig: { includedCategories: ["toplevel"] } });
  return {
    async stop(): Promise<LongestTasks> {
      await ended(session);
      await session.detach();
      const tasks = tasksOf(events);
      const most = (of: (task: TraceEvent) => number): number =>
        tasks.reduce((longest, task) => Math.max(longest, of(task)), 0) / 1000;
      return { cpu: most(({ tdur = 0 }) => tdur), wall: most(({ dur = 0 }) => dur) };
    },
  };
}

async function ended(session: CDPSession): Promise<void> {
  const complete = new Promise<void>((resolve) => void session.once("Tracing.tracingComplete", () => resolve()));
  await session.send("Tracing.end");
  await complete;
}

/** Tasks of the main thread of the renderer that had most of them: of the page, as the others are empty. */
function tasksOf(events: readonly TraceEvent[]): TraceEvent[] {
  const threads = new Set(
    events.filter(({ name, args }) => name === "thread_name" && args?.name === "CrRendererMain").map(({ pid, tid }) =>
      `${pid} ${tid}`
    ),
  );
  const byThread = new Map<string, TraceEvent[]>();
  for (const event of events) {
    const thread = `${event.pid} ${event.tid}`;
    if (event.ph !== "X" || !event.name.includes("RunTask") || !threads.has(thread)) continue;
    const tasks = byThread.get(thread);
    if (tasks === undefined) byThread.set(thread, [event]);
    else tasks.push(event);
  }
  return [...byThread.values()].sort((one, other) => other.length - one.length)[0] ?? [];
}
