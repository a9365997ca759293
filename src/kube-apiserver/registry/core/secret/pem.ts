const BLOCK = /-----BEGIN ([^\r\n]*?)-----[ \t]*\r?\n([\s\S]*?)(?:(?<=\n)|^)-----END \1-----/g;
const HEADERS = /^(?:[^\r\n:]+:[^\r\n]*\r?\n)+\r?\n?/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** A part of a PEM file. */
export interface PemBlock {
  readonly type: string;
  readonly bytes: Buffer;
}

/** The blocks that Go's `pem.Decode` finds; what is none is skipped. */
export function pemBlocks(text: string): PemBlock[] {
  return [...text.matchAll(BLOCK)].flatMap(([, type = "", body = ""]) => {
    const base64 = body.replace(HEADERS, "").replace(/[ \t\r\n]/g, "");
    return BASE64.test(base64) ? [{ type, bytes: Buffer.from(base64, "base64") }] : [];
  });
}
