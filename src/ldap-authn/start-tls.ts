import type { Socket } from "node:net";

/** Message 1: an extended request for `1.3.6.1.4.1.1466.20037` (RFC 4511 §4.14.1). */
const OID = Buffer.from("1.3.6.1.4.1.1466.20037");
const REQUEST = Buffer.concat([
  Buffer.from([0x30, OID.length + 7, 0x02, 0x01, 0x01, 0x77, OID.length + 2, 0x80, OID.length]),
  OID,
]);
/** An answer is a few dozen bytes and perhaps a sentence. */
const ANSWER_BYTES_MAX = 4096;

/** Asks a directory to go on with TLS on this connection; resolves when it agreed. */
export function startTls(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    const finish = (failure?: Error): void => {
      socket.removeListener("data", onData).removeListener("close", onClose).pause();
      if (failure === undefined) resolve();
      else reject(failure);
    };
    const onClose = (): void => finish(new Error("the directory closed the connection when asked for StartTLS"));
    const onData = (chunk: Buffer): void => {
      received = Buffer.concat([received, chunk]);
      try {
        const code = readAnswer(received);
        if (code === 0) finish();
        else if (code !== undefined) finish(new Error(`the directory refuses StartTLS with result code ${code}`));
      } catch (error) {
        finish(error as Error);
      }
    };
    socket.on("data", onData).on("close", onClose);
    socket.write(REQUEST);
  });
}

/**
 * The result code of an extended response to message 1; undefined while bytes are missing. Throws when it is none, and when
 * more comes behind it: what somebody slipped in before the encryption must not be taken for what was said after it.
 */
export function readAnswer(bytes: Buffer): number | undefined {
  const message = readElement(bytes, 0);
  const isOther = bytes.length > 0 && bytes[0] !== 0x30;
  if (isOther || bytes.length > ANSWER_BYTES_MAX) throw malformed();
  if (message === undefined) return undefined;
  if (message.end !== bytes.length) throw malformed();
  const id = readElement(bytes, message.start);
  const response = id && readElement(bytes, id.end);
  const code = response && readElement(bytes, response.start);
  if (id?.tag !== 0x02 || bytes.readIntBE(id.start, 1) !== 1 || response?.tag !== 0x78 || code?.tag !== 0x0a) throw malformed();
  return bytes.readUInt8(code.start);
}

interface Element {
  readonly tag: number;
  readonly start: number;
  readonly end: number;
}

/** One element of BER with a definite length; undefined while bytes of it are missing. */
function readElement(bytes: Buffer, at: number): Element | undefined {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined) return undefined;
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  if (first === 0x80 || lengthBytes > 4) throw malformed();
  const start = at + 2 + lengthBytes;
  if (start > bytes.length) return undefined;
  const length = lengthBytes === 0 ? first : bytes.readUIntBE(at + 2, lengthBytes);
  if (length > ANSWER_BYTES_MAX) throw malformed();
  return start + length > bytes.length ? undefined : { tag, start, end: start + length };
}

function malformed(): Error {
  return new Error("the directory's answer to StartTLS is not one");
}
