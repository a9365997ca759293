import type { StreamHeaders } from "./header-block.ts";

/** Control frames of version 3 by their type (SPDY protocol draft 3, section 2.6). */
export const FrameType = {
  synStream: 1,
  synReply: 2,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  headers: 8,
  windowUpdate: 9,
} as const;

/** Flags of frames: the sender sends no more on this stream; the stream is one way only. */
export const FLAG_FIN = 1;
export const FLAG_UNIDIRECTIONAL = 2;
/** The setting that says how much may be on its way to a stream at first. */
export const SETTING_INITIAL_WINDOW = 7;
/** How much that is when nobody has said anything (SPDY protocol draft 3, section 2.6.8). */
export const INITIAL_WINDOW_BYTES: number = 64 * 1024;
/** Largest payload of a frame that the format allows. */
export const PAYLOAD_BYTES_MAX = 0xffffff;

/** One frame as it was said. `data` may be a part of a frame; `fin` is then said with the last part. */
export type Frame =
  | { readonly type: "data"; readonly streamId: number; readonly data: Buffer; readonly fin: boolean }
  | {
      readonly type: "synStream";
      readonly streamId: number;
      readonly headers: StreamHeaders;
      readonly fin: boolean;
      readonly unidirectional: boolean;
    }
  | { readonly type: "synReply" | "headers"; readonly streamId: number; readonly headers: StreamHeaders; readonly fin: boolean }
  | { readonly type: "rstStream"; readonly streamId: number; readonly status: number }
  | { readonly type: "settings"; readonly initialWindow: number | undefined }
  | { readonly type: "ping"; readonly id: number }
  | { readonly type: "goAway"; readonly lastStreamId: number; readonly status: number }
  | { readonly type: "windowUpdate"; readonly streamId: number; readonly delta: number };
