import { isPacked } from "../../protocol/packed_mime_types.ts";
import { SEGMENT_BYTES, STREAM_CHUNK_SIZE } from "../../protocol/constants.ts";
import type { CongestionController } from "../../protocol/flow/congestion.ts";
import { ConnectionSendWindow } from "../../protocol/flow/credit.ts";
import { Destination } from "../../protocol/flow/destination.ts";
import { Destinations } from "../../protocol/flow/destinations.ts";
import { InFlight } from "../../protocol/flow/in_flight.ts";
import type { Limits } from "../../protocol/limits.ts";
import type { StreamOptions } from "../../protocol/options.ts";
import type { Progress } from "../../protocol/progress.ts";
import type { Hello } from "../../protocol/wire/control.ts";
import { bestEncoding, isCompressed } from "../../protocol/wire/frames.ts";
import { type HeaderExtension, isTrace, type TraceCarrier } from "../../protocol/wire/extension.ts";
import { encodeHeader, isBulk, type StreamDescription } from "../../protocol/wire/header.ts";
import { assertWithinLimits, overLimits } from "../../protocol/wire/header_limits.ts";
import type { StreamHeader } from "../../protocol/wire/packets.ts";
import { WHOLE_BYTES } from "../../protocol/wire/inline_content.ts";
import type { CompressionOptions } from "../../workers/codec.ts";

/** Most receivers that packets list: a broadcast to more is unframed, and addressed to everybody. */
const MAX_LISTED = 32;

/** Plan of an outgoing stream, fixed when the stream is opened. */
export interface OutgoingSpec {
  readonly description: StreamDescription;
  readonly header: StreamHeader;
  /** Undefined if no receiver is a Millrace runtime. */
  readonly extension: HeaderExtension | undefined;
  /** Whether the stream is bulk: its chunks take turns with other streams. */
  readonly bulk: boolean;
  /** Whether each write is sent at once. */
  readonly urgent: boolean;
  /** Whether the header may carry all content: every receiver is a Millrace runtime, and the content is short and complete. */
  readonly inline: boolean;
  readonly sequence: number;
  readonly destinations: Destinations;
  readonly confirm: boolean;
  readonly totalSize: number | undefined;
  /** Undefined if frames are not compressed. */
  readonly compression: Compression | undefined;
  /** Longest frame, in plain bytes. */
  readonly frameBytes: number;
  readonly onProgress: ((progress: Progress) => void) | undefined;
}

/** Compression of a stream's frames. */
export type Compression = Omit<CompressionOptions, "thorough">;

/** Request to open a stream. */
export interface Opening {
  readonly description: StreamDescription;
  readonly options: StreamOptions;
  /** Whether parts are sent as they are written: then the stream is never framed. */
  readonly incremental: boolean;
  /** Whether the user asked that the parts go before bulk. */
  readonly urgent?: boolean;
  /** Whether all content is available from the start. */
  readonly availableUpFront?: boolean;
  readonly confirm: boolean;
  /** Trace of the sending program, for the header. */
  readonly trace?: TraceCarrier;
}

/** A present receiver, as far as a stream's form depends on it. */
export interface PresentReceiver {
  readonly identity: string;
  /** Whether the receiver is known to be a Millrace runtime. */
  readonly isMillrace: boolean;
  readonly session: {
    readonly hello: Hello | undefined;
    readonly streamWindow: number;
    readonly sendWindow: ConnectionSendWindow;
    readonly congestion: CongestionController;
    readonly frameBytes: number;
  };
}

/** A receiver that misses the stream: it is absent, or accepts no more streams. */
export interface MissingReceiver {
  readonly identity: string;
  readonly outcome: "disconnected" | "timeout";
}

/** The sender's side of a plan. */
export interface StreamOrigin {
  readonly instance: string;
  readonly sequence: number;
  readonly limits: Limits;
  /** Whether the transport queues packets. */
  readonly isPaced: boolean;
  /** Whether the room may have participants that the transport does not list. */
  readonly hasUnlisted: boolean;
  /** Frame encodings of the sender's codec. */
  readonly encodings: readonly string[];
}

/** Decides a stream's receivers, format, frames and compression. Throws a StreamError if the header exceeds the limits. */
export function planStream(
  { description, options, incremental, urgent = false, availableUpFront = false, confirm, trace }: Opening,
  present: readonly PresentReceiver[],
  missing: readonly MissingReceiver[],
  sender: StreamOrigin,
): OutgoingSpec {
  const { sequence, instance, isPaced } = sender;
  const { size, topic } = description.info;
  const isTargeted = options.destinationIdentities !== undefined;
  const allMillrace = present.length > 0 && present.every(({ isMillrace }) => isMillrace);
  const anyMillrace = present.some(({ isMillrace }) => isMillrace);
  const listsRecipients = isTargeted || (allMillrace && present.length <= MAX_LISTED && !sender.hasUnlisted);
  const framed = allMillrace && listsRecipients && !incremental && (size === undefined || size > STREAM_CHUNK_SIZE);
  const format = framed ? "framed" : "plain";
  const own: HeaderExtension | undefined = anyMillrace
    ? {
      instance,
      sequence,
      format,
      confirm,
      ...(isTargeted ? { named: isTargeted } : {}),
      ...(urgent ? { urgent } : {}),
      ...(allMillrace && listsRecipients ? { topic } : {}),
    }
    : undefined;
  const headerWith = (some?: HeaderExtension): StreamHeader => encodeHeader(description, some, options.senderIdentity);
  const traced = own !== undefined && isTrace(trace) ? { ...own, trace } : undefined;
  const hasRoom = traced !== undefined && overLimits(headerWith(traced), sender.limits) === undefined;
  const extension = hasRoom ? traced : own; // a tool that watches must not break the stream
  const header = headerWith(extension);
  assertWithinLimits(header, sender.limits);
  const bulk = isPaced && isBulk(description, { format, urgent });
  const destinations = missing.map(missingDestination);
  for (const receiver of present) {
    destinations.push(receiver.isMillrace ? destinationOf(receiver, bulk) : new Destination(receiver.identity, 0, undefined));
  }
  return {
    description,
    header,
    extension,
    bulk,
    urgent,
    sequence,
    confirm,
    inline: allMillrace && availableUpFront && size !== undefined && size <= WHOLE_BYTES,
    destinations: new Destinations(destinations, { isTargeted, listsRecipients }),
    totalSize: size,
    compression: framed ? compressionOf(description, options, present, sender) : undefined,
    frameBytes: present.reduce((bytes, { session }) => Math.min(bytes, session.frameBytes), SEGMENT_BYTES),
    onProgress: options.onProgress,
  };
}

/** Makes the destination of a Millrace runtime; with packets in flight for a bulk stream. */
export function destinationOf({ identity, session }: PresentReceiver, bulk: boolean): Destination {
  const inFlight = bulk ? new InFlight(session.congestion) : undefined;
  return new Destination(identity, session.streamWindow, session.sendWindow, inFlight);
}

function missingDestination({ identity, outcome }: MissingReceiver): Destination {
  const destination = new Destination(identity, 0, new ConnectionSendWindow(0));
  destination.outcome = outcome;
  return destination;
}

/** Compression on request, or by default where the transport queues packets. */
function compressionOf(
  { info }: StreamDescription,
  { compress }: StreamOptions,
  present: readonly PresentReceiver[],
  { isPaced, encodings }: StreamOrigin,
): Compression | undefined {
  if (!(compress ?? (isPaced && !isPacked(info.mimeType)))) return undefined;
  const encoding = bestEncoding([encodings, ...present.map(({ session }) => session.hello?.encodings ?? [])]);
  return isCompressed(encoding) ? { encoding, sample: compress !== true } : undefined;
}
