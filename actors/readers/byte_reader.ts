import { StreamError } from "../../errors.ts";
import type { ByteStreamInfo } from "../../protocol/info.ts";
import type { SaveTarget } from "../../protocol/files.ts";
import { assertReadOptions, assertSaveOptions, type SaveOptions } from "../../protocol/options.ts";
import { BaseReader } from "./base_reader.ts";
import { ByteGatherer } from "./byte_gatherer.ts";
import { openByteStream } from "./byte_source.ts";
import { extracted } from "./decode_pipeline.ts";
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

  async blob(options: { signal?: AbortSignal } = {}): Promise<Blob> {
    return new Blob([await this.readAll(options) as Uint8Array<ArrayBuffer>], { type: this.info.mimeType });
  }

  async saveTo(target: SaveTarget, options: SaveOptions = {}): Promise<{ path: string; bytes: number }> {
    assertSaveOptions(options);
    return await this.consume(options.signal, async () => {
      try {
        return await saveStream(this.stream, this.info.name, target, options);
      } catch (error) {
        if (!(error instanceof StreamError) || error.code !== "invalid-argument") throw this.failed(error);
        this.unclaim(); // not a path: nothing was consumed, and another call may succeed
        throw error;
      }
    });
  }

  protected override openReadable(): ReadableStream<Uint8Array> {
    this.claim();
    return openByteStream(this.stream, {
      cancel: (reason) => this.cancel(reason),
      failed: (error) => this.failed(error),
    });
  }

  protected override values(): AsyncGenerator<Uint8Array, void, undefined> {
    return this.results((block) => extracted(this.stream, block));
  }
}
