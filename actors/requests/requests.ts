import type { StreamError } from "../../errors.ts";
import type { IncomingStream } from "../incoming/stream.ts";
import type { HandleStream } from "../readers/handlers.ts";
import type { TextSource } from "../writers/sources.ts";
import { RequestClient, type RequestContext } from "./client.ts";
import type { ReplyReader, RequestOptions } from "./options.ts";
import type { RequestHandler } from "./request.ts";
import { RequestServer } from "./server.ts";

/** Requests of a runtime, in both directions. */
export class Requests {
  readonly #client: RequestClient;
  readonly #server: RequestServer;

  constructor(context: RequestContext) {
    this.#client = new RequestClient(context);
    this.#server = new RequestServer(context.calls);
  }

  request(identity: string, topic: string, body: TextSource, options: RequestOptions): Promise<ReplyReader> {
    return this.#client.request(identity, topic, body, options);
  }

  /** The call that gives a request to a user's handler. */
  handlerFor(handler: RequestHandler): HandleStream {
    return this.#server.handlerFor(handler);
  }

  /** Finds the call for a stream that belongs to a request; undefined if a topic's handler takes the stream. */
  handlerOf(stream: IncomingStream): HandleStream | undefined {
    return this.#server.handlerOf(stream) ?? this.#client.handlerOf(stream);
  }

  /** Ends the requests to and from a participant that has left. */
  left(identity: string): void {
    this.#client.left(identity);
    this.#server.left(identity);
  }

  /** Ends all requests. */
  close(error: () => StreamError): void {
    this.#client.close(error);
    this.#server.close(error);
  }
}
