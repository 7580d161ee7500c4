import type { TextStreamInfo } from "../../protocol/info.ts";
import { assertReadOptions } from "../../protocol/options.ts";
import type { TextStreamReader } from "./reader.ts";
import { TextPartsReader } from "./text_parts.ts";

export class TextReader extends TextPartsReader<string> implements TextStreamReader {
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

  protected override values(): AsyncGenerator<string, void, undefined> {
    return this.parts();
  }
}
