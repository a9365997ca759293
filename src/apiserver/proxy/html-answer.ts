import type { IncomingMessage } from "node:http";
import { promisify } from "node:util";
import { deflateRaw, gunzip, gzip, inflateRaw } from "node:zlib";
import { ownValue } from "#base/own-value.ts";
import { rewriteHtmlLinks } from "./html-links.ts";

/** Largest page, packed and unpacked, whose links are looked at, in bytes; a larger one goes through as it is. */
const PAGE_BYTES_MAX: number = 2 * 1024 * 1024;

/** What has been read of an answer: all of it, or its beginning when it is too large. */
export interface ReadPage {
  readonly bytes: Buffer;
  readonly complete: boolean;
}

/** Reads an answer up to the limit. Rejects when it breaks off. */
export function readPage(answer: IncomingMessage): Promise<ReadPage> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const settle = (): void => {
      answer.off("data", onData).off("end", onEnd).off("close", onClose);
    };
    const onData = (chunk: Buffer): void => {
      chunks.push(chunk);
      length += chunk.byteLength;
      if (length <= PAGE_BYTES_MAX) return;
      answer.pause();
      settle();
      resolve({ bytes: Buffer.concat(chunks), complete: false });
    };
    const onEnd = (): void => {
      settle();
      resolve({ bytes: Buffer.concat(chunks), complete: true });
    };
    const onClose = (): void => {
      settle();
      reject(new Error("unexpected EOF"));
    };
    answer.on("data", onData).once("end", onEnd).once("close", onClose);
  });
}

const CODINGS: Readonly<Record<string, readonly [unpack: typeof gunzip, pack: typeof gzip]>> = {
  gzip: [gunzip, gzip],
  deflate: [inflateRaw, deflateRaw],
};

/** The page with its links rewritten, in the same coding; undefined where the coding is not known or unpacks to too much. */
export async function rewritePage(
  bytes: Buffer,
  coding: string,
  rewrite: (link: string) => string | undefined,
): Promise<Buffer | undefined> {
  if (coding === "") return rewritten(bytes, rewrite);
  const [unpack, pack] = ownValue(CODINGS, coding) ?? [];
  if (unpack === undefined || pack === undefined) return undefined;
  try {
    const page = await promisify(unpack)(bytes, { maxOutputLength: PAGE_BYTES_MAX });
    return await promisify(pack)(rewritten(page, rewrite));
  } catch {
    return undefined;
  }
}

/** Bytes that are no UTF-8 go through as they are: tags are ASCII. */
function rewritten(page: Buffer, rewrite: (link: string) => string | undefined): Buffer {
  const text = page.toString("utf8");
  const isUtf8 = !text.includes("\ufffd");
  const out = rewriteHtmlLinks(isUtf8 ? text : page.toString("latin1"), rewrite);
  return Buffer.from(out, isUtf8 ? "utf8" : "latin1");
}
