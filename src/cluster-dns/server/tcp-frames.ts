/** Takes messages out of a stream, each with its length before it (RFC 1035, section 4.2.2). */
export class TcpFrames {
  readonly #maxBytes: number;
  #held: Buffer = Buffer.alloc(0);

  /** `maxBytes` of one message. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The messages that are whole now; undefined when one is announced that is too long. */
  push(chunk: Buffer): readonly Buffer[] | undefined {
    let bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    const messages: Buffer[] = [];
    while (bytes.length >= 2) {
      const length = bytes.readUInt16BE(0);
      if (length > this.#maxBytes) return undefined;
      if (bytes.length < 2 + length) break;
      messages.push(bytes.subarray(2, 2 + length));
      bytes = bytes.subarray(2 + length);
    }
    this.#held = bytes;
    return messages;
  }
}

/** A message with its length before it. */
export function framed(message: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(2 + message.length);
  bytes.writeUInt16BE(message.length, 0);
  message.copy(bytes, 2);
  return bytes;
}
