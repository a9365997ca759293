import type { IncomingMessage } from "node:http";
import { internalError, serviceUnavailable } from "#apimachinery/api-errors/errors.ts";
import type { ApiResponse } from "../endpoints/response.ts";
import { answerHeaders } from "./backend-headers.ts";
import { readPage, rewritePage } from "./html-answer.ts";
import { type LinkContext, rewriteLink } from "./link-rewriter.ts";
import { streamedAnswer } from "./streamed-answer.ts";

/** An answer whose redirect, or whose page's links, lead through the proxy (upstream's `Transport.RoundTrip`). */
export async function rewrittenAnswer(
  answer: IncomingMessage,
  request: { readonly method: string },
  context: LinkContext,
): Promise<ApiResponse> {
  const lines = answerHeaders(answer.rawHeaders);
  const redirect = lines.location?.[0] ?? "";
  if (redirect !== "") {
    const location = rewriteLink(redirect, context);
    if (location === undefined) {
      answer.destroy();
      throw internalError(`error trying to parse Location header: parse ${JSON.stringify(redirect)}: invalid URL`);
    }
    return streamedAnswer(answer, request, { ...lines, location: [location] });
  }
  const type = (lines["content-type"]?.[0] ?? "").split(";")[0]?.trim();
  if (type !== "text/html" || request.method === "HEAD") return streamedAnswer(answer, request, lines);
  const page = await readPage(answer).catch((error: Error) => {
    throw serviceUnavailable(`error trying to reach service: ${error.message}`);
  });
  if (!page.complete) return streamedAnswer(answer, request, lines, page.bytes);
  const body = await rewritePage(page.bytes, lines["content-encoding"]?.[0] ?? "", (link) => rewriteLink(link, context));
  const { "content-length": _, ...rest } = lines;
  return { status: answer.statusCode ?? 502, headers: {}, headerLines: rest, body: body ?? page.bytes };
}
