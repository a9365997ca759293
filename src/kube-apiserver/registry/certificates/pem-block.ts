const BEGIN = "-----BEGIN ";
const DASHES = "-----";
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** A part of a PEM file (RFC 1421, as Go's `encoding/pem` reads it). */
export interface PemBlock {
  readonly type: string;
  readonly hasHeaders: boolean;
  readonly bytes: Buffer;
}

/**
 * The blocks of a text; what is none is skipped. By search, not by expression: a text of nothing but BEGIN lines would be
 * read once for each of them.
 */
export function pemBlocks(text: string): PemBlock[] {
  const blocks: PemBlock[] = [];
  const endless = new Set<string>();
  let at = text.indexOf(BEGIN);
  while (at >= 0) {
    const line = lineEnd(text, at);
    const head = text.slice(at, line).trimEnd();
    const type = head.slice(BEGIN.length, -DASHES.length);
    const isHead = head.length >= BEGIN.length + DASHES.length && head.endsWith(DASHES) && isLineStart(text, at);
    const end = !isHead || endless.has(type) ? -1 : text.indexOf(`${DASHES}END ${type}${DASHES}`, line);
    if (isHead && end < 0) endless.add(type);
    const block = end < 0 ? undefined : blockOf(type, text.slice(line, end));
    if (block !== undefined) blocks.push(block);
    at = text.indexOf(BEGIN, block === undefined ? line : end);
  }
  return blocks;
}

function isLineStart(text: string, at: number): boolean {
  return at === 0 || text[at - 1] === "\n";
}

function lineEnd(text: string, at: number): number {
  const end = text.indexOf("\n", at);
  return end < 0 ? text.length : end + 1;
}

/** Undefined where the text is no base64. */
function blockOf(type: string, body: string): PemBlock | undefined {
  const lines = body.split("\n");
  let first = 0;
  while (lines[first]?.includes(":")) first++;
  const base64 = lines.slice(first).join("").replace(/\s/g, "");
  return BASE64.test(base64) ? { type, hasHeaders: first > 0, bytes: Buffer.from(base64, "base64") } : undefined;
}
