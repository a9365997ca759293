import { FLAG_FIN, FLAG_UNIDIRECTIONAL, type Frame, FrameType, SETTING_INITIAL_WINDOW } from "./frames.ts";
import { HeaderBlockWriter } from "./header-block.ts";

const VERSION = 0x8003;

/** Makes bytes of one connection's frames. They must be sent in the order in which they were made. */
export class FrameWriter {
  readonly #headers = new HeaderBlockWriter();

  write(frame: Frame): Buffer {
    switch (frame.type) {
      case "data":
        return Buffer.concat([dataFrameHead(frame.streamId, frame.data.length, frame.fin), frame.data]);
      case "synStream": {
        // Associated to no stream, priority 0, no slot.
        const fixed = Buffer.concat([numbers(frame.streamId, 0), Buffer.alloc(2)]);
        const flags = (frame.fin ? FLAG_FIN : 0) | (frame.unidirectional ? FLAG_UNIDIRECTIONAL : 0);
        return control(FrameType.synStream, flags, fixed, this.#headers.write(frame.headers));
      }
      case "synReply":
      case "headers":
        return control(
          FrameType[frame.type],
          frame.fin ? FLAG_FIN : 0,
          numbers(frame.streamId),
          this.#headers.write(frame.headers),
        );
      case "rstStream":
        return control(FrameType.rstStream, 0, numbers(frame.streamId, frame.status));
      case "settings": {
        const { initialWindow } = frame;
        if (initialWindow === undefined) return control(FrameType.settings, 0, numbers(0));
        return control(FrameType.settings, 0, numbers(1, SETTING_INITIAL_WINDOW, initialWindow));
      }
      case "ping":
        return control(FrameType.ping, 0, numbers(frame.id));
      case "goAway":
        return control(FrameType.goAway, 0, numbers(frame.lastStreamId, frame.status));
      case "windowUpdate":
        return control(FrameType.windowUpdate, 0, numbers(frame.streamId, frame.delta));
    }
  }
}

/** What stands before a stream's bytes. */
export function dataFrameHead(streamId: number, length: number, fin: boolean): Buffer {
  return numbers(streamId, ((fin ? FLAG_FIN : 0) * 0x1000000 + length) >>> 0);
}

function control(type: number, flags: number, ...payload: readonly Buffer[]): Buffer {
  const length = payload.reduce((sum, part) => sum + part.length, 0);
  const head = Buffer.alloc(8);
  head.writeUInt16BE(VERSION, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt32BE((flags * 0x1000000 + length) >>> 0, 4);
  return Buffer.concat([head, ...payload]);
}

function numbers(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [i, value] of values.entries()) bytes.writeUInt32BE(value >>> 0, 4 * i);
  return bytes;
}
