import type { IncomingMessage } from "node:http";

/** Largest document of one server, in bytes. */
const DOCUMENT_BYTES_MAX: number = 16 * 1024 * 1024;

/** A whole document as text. Throws when it is too large. */
export async function readBounded(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer) {
    size += (chunk as Buffer).length;
    if (size > DOCUMENT_BYTES_MAX) throw new Error("a document of an aggregated server is too large");
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString("utf8");
}
