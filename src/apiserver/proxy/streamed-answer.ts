import type { IncomingMessage } from "node:http";
import type { ApiResponse, ResponseSink, ResponseStream } from "../endpoints/response.ts";

/** An answer that goes back as it comes. What has been read of it already goes first. */
export function streamedAnswer(
  answer: IncomingMessage,
  { method }: { readonly method: string },
  headerLines: Readonly<Record<string, readonly string[]>>,
  read?: Buffer,
): ApiResponse {
  const status = answer.statusCode ?? 502;
  const bodyless = method === "HEAD" || status === 204 || status === 304;
  if (!bodyless) return { status, headers: {}, headerLines, body: streamOf(answer, read) };
  answer.resume();
  return { status, headers: {}, headerLines, body: "" };
}

/** A body that comes from somewhere else: a slow client slows its source, and when one of both breaks off, so does the other. */
export function streamOf(answer: IncomingMessage, read?: Buffer): ResponseStream {
  const start = (sink: ResponseSink): void => {
    let complete = false;
    if (read !== undefined) sink.write(read);
    answer.on("data", (chunk: Buffer) => {
      if (!sink.write(chunk)) answer.pause();
    });
    sink.onDrain(() => answer.resume());
    answer.once("end", () => {
      complete = true;
      sink.end();
    });
    answer.once("close", () => {
      if (!complete) sink.abort();
    });
    sink.onClose(() => answer.destroy());
    if (answer.destroyed && !answer.readableEnded) sink.abort();
    else answer.resume();
  };
  return { start };
}

/** How much of a refusal is read, in bytes (upstream's `maxReadLength`). */
const ERROR_BYTES_MAX = 50_000;

/** What a server says about why it refused, as far as that is not too long. Never rejects. */
export function readErrorText(answer: IncomingMessage): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const finish = (): void => {
      resolve(Buffer.concat(chunks).subarray(0, ERROR_BYTES_MAX).toString("utf8"));
      answer.destroy();
    };
    answer.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      length += chunk.byteLength;
      if (length >= ERROR_BYTES_MAX) finish();
    });
    answer.once("end", finish).once("close", finish);
  });
}
