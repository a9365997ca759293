import { type ApiResponse, isResponseStream } from "../endpoints/response.ts";
import type { Exchange } from "./exchange.ts";
import { indentJson } from "./indent-json.ts";

/** User agents whose answers people read, as upstream's `isPrettyPrint` knows them. */
const READ_BY_PEOPLE = ["curl", "Wget", "Mozilla/5.0"];

/** The values that Go's `ParseBool` takes for true. */
const TRUE = new Set(["1", "t", "T", "true", "TRUE", "True"]);

/** The same answer, set out in lines when it is an object and its reader wants that. */
export function indentedAnswer(exchange: Exchange, response: ApiResponse): ApiResponse {
  if (response.indentable !== true || !wantsIndented(exchange) || isResponseStream(response.body)) return response;
  const { body } = response;
  const text = typeof body === "string" ? body : Buffer.concat(body instanceof Uint8Array ? [body] : body).toString("utf8");
  return { ...response, body: indentJson(text) };
}

/** `pretty` in the query decides; without it, browsers and command-line tools get lines. */
function wantsIndented({ url, headers }: Exchange): boolean {
  if (url.includes("pretty")) {
    const pretty = new URLSearchParams(url.slice(url.indexOf("?") + 1)).get("pretty") ?? "";
    if (pretty !== "") return TRUE.has(pretty);
  }
  const agent = headers["user-agent"];
  return typeof agent === "string" && READ_BY_PEOPLE.some((prefix) => agent.startsWith(prefix));
}
