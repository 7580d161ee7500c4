import { DESTINATION_FAILED, reasonText } from "../common/callbacks.ts";
import { platform } from "../../common/platform.ts";
import { decodedPieces } from "../../protocol/wire/chunking.ts";
import { BaseReader } from "./base_reader.ts";
import { decodedByCodec } from "./decode_pipeline.ts";

/** Keeps a byte order mark, as the sender has written one. */
const AS_SENT = { ignoreBOM: true };

/** End of the parts of a text. */
export const END: unique symbol = Symbol("end");

/** Parts of a text that were decoded together. */
type TextParts = readonly (string | typeof END)[];

/** Base of the readers of text: the parts of a text stream, and a web stream of values. */
export abstract class TextPartsReader<T> extends BaseReader<T> {
  protected override openReadable(): ReadableStream<T> {
    const values = this[Symbol.asyncIterator]();
    return new ReadableStream<T>({
      async pull(controller) {
        const { done, value } = await values.next();
        if (done === true) controller.close();
        else controller.enqueue(value);
      },
      cancel: async (reason) => {
        await this.cancel(reasonText(reason, DESTINATION_FAILED));
        await values.return?.(); // frees blocks at work
      },
    }, { highWaterMark: 0 });
  }

  /** The parts of the text, as long as the stream has not failed; then `end`, if given, before the stream is closed. */
  protected parts(): AsyncGenerator<string, void, undefined>;
  protected parts(end: typeof END): AsyncGenerator<string | typeof END, void, undefined>;
  protected async *parts(end?: typeof END): AsyncGenerator<string | typeof END, void, undefined> {
    for await (const parts of this.#blocks(end)) {
      for (const part of parts) {
        if (this.stream.error !== undefined) throw this.stream.error;
        if (part !== "") yield part;
      }
    }
  }

  #blocks(end: typeof END | undefined): AsyncGenerator<TextParts, void, undefined> {
    if (!this.stream.isMillrace) return this.#foreignBlocks(end);
    // Each chunk or frame of a Millrace sender is valid UTF-8.
    return this.results<TextParts>(
      (block) =>
        decodedByCodec(this.stream, block, (codec, span, digest, how) => codec.decodeText(span, digest, how)) ??
          decodedPieces(block.memory, decode),
      end && [end],
    );
  }

  /** The blocks of another SDK's text, which may split code points between chunks. */
  async *#foreignBlocks(end: typeof END | undefined): AsyncGenerator<TextParts, void, undefined> {
    const decoder = new TextDecoder("utf-8", AS_SENT);
    for await (const part of this.results<Uint8Array | typeof END>((block) => block.memory, END)) {
      yield [part === END ? decoder.decode() : decoder.decode(part, { stream: true })];
      if (part === END && end !== undefined) yield [end];
    }
  }
}

function decode(piece: Uint8Array): string {
  return platform().decodeUtf8(piece);
}
