import type { TextStreamInfo } from "../../protocol/info.ts";
import { assertReadOptions } from "../../protocol/options.ts";
import { reasonText } from "../common/callbacks.ts";
import { BaseReader } from "./base_reader.ts";
import { decodedByCodec, ownBytes } from "./decode_pipeline.ts";
import type { TextStreamReader } from "./reader.ts";

/** Keeps a byte order mark, as the sender has written one. */
const AS_SENT = { ignoreBOM: true };

const wholeDecoder = new TextDecoder("utf-8", AS_SENT);

export class TextReader extends BaseReader<string> implements TextStreamReader {
  get info(): TextStreamInfo {
    return this.stream.description.info as TextStreamInfo;
  }

  async readAll(options: { signal?: AbortSignal } = {}): Promise<string> {
    assertReadOptions(options);
    return await this.consume(options.signal, async () => {
      this.assertGatherable(this.info.size ?? 0);
      let text = "";
      for await (const part of this.values()) {
        this.assertGatherable(this.stream.content.consumed);
        text += part;
      }
      return text;
    });
  }

  protected override openReadable(): ReadableStream<string> {
    const values = this[Symbol.asyncIterator]();
    return new ReadableStream<string>({
      async pull(controller) {
        const { done, value } = await values.next();
        if (done === true) controller.close();
        else controller.enqueue(value);
      },
      cancel: async (reason) => {
        await this.cancel(reasonText(reason));
        await values.return?.(); // frees blocks at work
      },
    }, { highWaterMark: 0 });
  }

  protected override async *values(): AsyncGenerator<string, void, undefined> {
    if (!this.stream.isMillrace) return yield* this.#foreignValues();
    // Each chunk or frame of a Millrace sender is valid UTF-8.
    const texts = this.results<string>((block) =>
      decodedByCodec(this.stream, block, (codec, span, digest, how) => codec.decodeText(span, digest, how)) ??
        wholeDecoder.decode(ownBytes(block))
    );
    for await (const text of texts) if (text !== "") yield text;
  }

  /** Yields the text of another SDK, which may split code points between chunks. */
  async *#foreignValues(): AsyncGenerator<string, void, undefined> {
    const decoder = new TextDecoder("utf-8", AS_SENT);
    for await (const part of this.results((block) => block.memory)) {
      const text = decoder.decode(part, { stream: true });
      if (text !== "") yield text;
    }
    const rest = decoder.decode();
    if (rest !== "") yield rest;
  }
}
