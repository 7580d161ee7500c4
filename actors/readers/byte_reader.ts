import { StreamError } from "../../errors.ts";
import type { ByteStreamInfo } from "../../protocol/info.ts";
import { assertReadOptions, assertSaveOptions, type SaveOptions } from "../../protocol/options.ts";
import { BaseReader } from "./base_reader.ts";
import { ByteGatherer } from "./byte_gatherer.ts";
import { decodedByCodec, ownBytes } from "./decode_pipeline.ts";
import type { ByteStreamReader } from "./reader.ts";
import { saveStream } from "./save.ts";

export class ByteReader extends BaseReader<Uint8Array> implements ByteStreamReader {
  get info(): ByteStreamInfo {
    return this.stream.description.info as ByteStreamInfo;
  }

  async readAll(options: { signal?: AbortSignal } = {}): Promise<Uint8Array> {
    assertReadOptions(options);
    return await this.consume(options.signal, async () => {
      this.assertGatherable(this.info.size ?? 0);
      const gatherer = new ByteGatherer(this.stream);
      for await (const part of this.results((block, offset) => gatherer.take(block, offset))) {
        this.assertGatherable(gatherer.add(part));
      }
      return await gatherer.finish();
    });
  }

  async saveTo(path: string | URL, options: SaveOptions = {}): Promise<{ path: string; bytes: number }> {
    assertSaveOptions(options);
    return await this.consume(options.signal, async () => {
      try {
        return await saveStream(this.stream, this.info.name, path, options);
      } catch (error) {
        if (!(error instanceof StreamError) || error.code !== "invalid-argument") throw this.failed(error);
        this.unclaim(); // not a path: nothing was consumed, and another call may succeed
        throw error;
      }
    });
  }

  protected override openReadable(values: AsyncIterator<Uint8Array>): ReadableStream<Uint8Array> {
    return new ReadableStream({
      type: "bytes",
      async pull(controller) {
        const { done, value } = await values.next();
        if (done !== true) return controller.enqueue(value as Uint8Array<ArrayBuffer>); // the array is the user's own
        controller.close();
        controller.byobRequest?.respond(0); // returns the view of a BYOB reader
      },
      cancel: (reason) => this.cancelReadable(values, reason),
    });
  }

  protected override values(): AsyncGenerator<Uint8Array, void, undefined> {
    return this.results((block) => {
      return decodedByCodec(this.stream, block, (codec, span, digest, how) => codec.extract(span, digest, how)) ??
        ownBytes(block);
    });
  }
}
