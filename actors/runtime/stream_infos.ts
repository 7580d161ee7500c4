import { randomId } from "../../common/platform.ts";
import { DEFAULT_MIME_TYPE } from "../../protocol/constants.ts";
import type { BaseStreamInfo, ByteStreamInfo, TextStreamInfo } from "../../protocol/info.ts";
import type { ByteStreamOptions, StreamOptions, TextStreamOptions } from "../../protocol/options.ts";

/** Makes the part of a stream's info that text and bytes share. */
function baseInfo(options: StreamOptions, mimeType: string, size: number | undefined): BaseStreamInfo {
  return {
    streamId: options.streamId ?? randomId(),
    mimeType,
    topic: options.topic ?? "",
    timestamp: Date.now(),
    ...(size === undefined ? {} : { size }),
    attributes: { ...options.attributes },
  };
}

/** Makes the info of a text stream. */
export function textInfo(options: TextStreamOptions, size: number | undefined, attachments: readonly string[]): TextStreamInfo {
  return {
    ...baseInfo(options, "text/plain", size),
    attachments: [...attachments],
    ...(options.replyToId === undefined ? {} : { replyToId: options.replyToId }),
  };
}

/** Makes the info of a byte stream. */
export function bytesInfo(options: ByteStreamOptions, size: number | undefined): ByteStreamInfo {
  return { ...baseInfo(options, options.mimeType ?? DEFAULT_MIME_TYPE, size), name: options.name ?? "" };
}
