// Participants of a hub who note all events.
import type { StreamError } from "../../../errors.ts";
import type { Hub } from "../../../transports/hub/options.ts";
import type { Transport } from "../../../transports/transport.ts";
import { describe } from "../conformance/transport.ts";

export interface Listener {
  transport: Transport;
  events: string[];
  /** Times of the events. */
  times: number[];
}

/** Joins, and notes each event with its time. */
export function listen(
  hub: Hub,
  identity: string,
  now: () => number = () => 0,
): Listener {
  const transport = hub.join(identity);
  const events: string[] = [];
  const times: number[] = [];
  const note = (event: string): void => {
    events.push(event);
    times.push(now());
  };
  transport.open({
    packet: (packet, from) => note(`${from}: ${describe(packet)}`),
    joined: (other) => note(`joined ${other}`),
    left: (other) => note(`left ${other}`),
    closed: (error) => note(`closed ${(error as StreamError | undefined)?.code}`),
  });
  return { transport, events, times };
}
