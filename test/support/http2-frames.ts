/** Types of frames (RFC 9113, section 6). */
export const FrameType = {
  data: 0x0,
  headers: 0x1,
  priority: 0x2,
  resetStream: 0x3,
  settings: 0x4,
  ping: 0x6,
  goaway: 0x7,
  windowUpdate: 0x8,
  continuation: 0x9,
} as const;

/** Flags of frames. */
export const FrameFlag = { endStream: 0x1, endHeaders: 0x4 } as const;

/** What a client says first. */
export const PREFACE: Buffer = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/** One frame, as it is on the wire. */
export function frame(type: number, flags: number, stream: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A header field that is not indexed, without Huffman coding (RFC 7541, section 6.2.2). */
export function field(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.of(0x00), text(name), text(value)]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([length(bytes.length), bytes]);
}

/** An integer with a prefix of seven bits (RFC 7541, section 5.1). */
function length(value: number): Buffer {
  if (value < 127) return Buffer.of(value);
  const bytes = [127];
  let rest = value - 127;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}

/** The head of a GET of a path. */
export function getHead(path: string, more: readonly Buffer[] = []): Buffer {
  return Buffer.concat([
    field(":method", "GET"),
    field(":scheme", "https"),
    field(":authority", "127.0.0.1"),
    field(":path", path),
    ...more,
  ]);
}

/** The error code of a GOAWAY among frames that were heard; undefined when there is none. */
export function goawayCode(heard: Buffer): number | undefined {
  for (let at = 0; at + 9 <= heard.length; ) {
    const size = heard.readUIntBE(at, 3);
    if (heard[at + 3] === FrameType.goaway && at + 17 <= heard.length) return heard.readUInt32BE(at + 13);
    at += 9 + size;
  }
  return undefined;
}
