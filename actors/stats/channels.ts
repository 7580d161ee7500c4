import { type DiagnosticsChannel, platform } from "../../common/platform.ts";
import type { FlowWaitMessage, PeerMessage, StreamCloseMessage, StreamOpenMessage, TraceMessage } from "./messages.ts";

/** Channel with the type of its messages. */
export interface Channel<Message extends object> {
  readonly hasSubscribers: boolean;
  publish(message: Message): void;
}

/** Channels of one kind of work, as Node's `TracingChannel` has them. */
export class TraceChannels {
  readonly #start: DiagnosticsChannel;
  readonly #end: Channel<TraceMessage>;
  readonly #error: Channel<TraceMessage>;
  readonly #asyncStart: Channel<TraceMessage>;
  readonly #asyncEnd: Channel<TraceMessage>;

  constructor(name: string, open: (name: string) => DiagnosticsChannel) {
    this.#start = open(`tracing:${name}:start`);
    this.#end = open(`tracing:${name}:end`);
    this.#error = open(`tracing:${name}:error`);
    this.#asyncStart = open(`tracing:${name}:asyncStart`);
    this.#asyncEnd = open(`tracing:${name}:asyncEnd`);
  }

  get hasSubscribers(): boolean {
    return this.#start.hasSubscribers || this.#end.hasSubscribers || this.#error.hasSubscribers ||
      this.#asyncStart.hasSubscribers || this.#asyncEnd.hasSubscribers;
  }

  /** Does work in the context of the subscribers. Its end is told when `settled` says so: it resolves with the error, if there is one. */
  trace<T>(message: TraceMessage, work: () => T, settled: (result: T) => Promise<unknown>): T {
    const run = (): T => {
      try {
        const result = work();
        void this.#tellEnd(message, settled(result));
        return result;
      } finally {
        this.#end.publish(message);
      }
    };
    if (this.#start.runStores !== undefined) return this.#start.runStores(message, run);
    this.#start.publish(message);
    return run();
  }

  async #tellEnd(message: TraceMessage, settled: Promise<unknown>): Promise<void> {
    const error = await settled;
    if (error !== undefined) {
      message.error = error;
      this.#error.publish(message);
    }
    this.#asyncStart.publish(message);
    this.#asyncEnd.publish(message);
  }
}

/** Channels of the library. */
export interface Channels {
  readonly streamOpen: Channel<StreamOpenMessage>;
  readonly streamClose: Channel<StreamCloseMessage>;
  readonly peerJoin: Channel<PeerMessage>;
  readonly peerLeave: Channel<PeerMessage>;
  readonly flowWait: Channel<FlowWaitMessage>;
  readonly send: TraceChannels;
  readonly receive: TraceChannels;
}

/** Kept for the life of the process: Node forgets a channel without a reference. */
let opened: Channels | undefined;

/** The channels of the process, which a page has without subscribers. */
export function channels(): Channels {
  return opened ??= openChannels();
}

function openChannels(): Channels {
  const open = (name: string): DiagnosticsChannel => platform().channel?.(name) ?? SILENT;
  return {
    streamOpen: open("millrace:stream:open"),
    streamClose: open("millrace:stream:close"),
    peerJoin: open("millrace:peer:join"),
    peerLeave: open("millrace:peer:leave"),
    flowWait: open("millrace:flow:wait"),
    send: new TraceChannels("millrace.send", open),
    receive: new TraceChannels("millrace.receive", open),
  };
}

const SILENT: DiagnosticsChannel = { hasSubscribers: false, publish: () => {} };
