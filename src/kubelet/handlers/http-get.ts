import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import type { HTTPGetAction } from "#api/generated/core/v1.ts";
import type { Clock } from "#base/clock.ts";
import { connectProblem } from "./connect-problem.ts";
import { type ActionResult, type ActionTarget, portOf } from "./handlers.ts";

/** What of an answer is read, in bytes (upstream's `maxRespBodyLength`). */
const BODY_BYTES_MAX: number = 10 * 1024;
const REDIRECTS_MAX = 10;
/** How long a hook's request may take, in seconds: a container that ends has no more by default. */
const HOOK_TIMEOUT_SECONDS = 30;
const USER_AGENT = "kube-probe/1.36";
const HOOK_USER_AGENT = "kube-lifecycle/1.36";
const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];

interface Answer {
  readonly statusCode: number;
  readonly location: string;
  readonly body: string;
}

/** An HTTP probe: any status from 200 to 399 is well; redirects to other hosts are not followed, which is told. */
export async function getForProbe(
  action: HTTPGetAction,
  target: ActionTarget,
  timeoutSeconds: number,
  clock: Clock,
): Promise<ActionResult> {
  const first = urlOf(action, target);
  const endsAtMs = clock.elapsed() + timeoutSeconds * 1000;
  let url = first;
  try {
    for (let redirects = 0; ; redirects++) {
      const { statusCode, location, body } = await get(
        url,
        headersOf(action, url, USER_AGENT),
        endsAtMs - clock.elapsed(),
        clock,
      );
      const next = REDIRECTS.includes(statusCode) && location !== "" ? new URL(location, url) : undefined;
      if (next !== undefined && next.hostname === first.hostname) {
        if (redirects >= REDIRECTS_MAX) return failed(`Get "${next.href}": stopped after ${REDIRECTS_MAX} redirects`);
        url = next;
        continue;
      }
      if (statusCode >= 300 && statusCode < 400)
        return { succeeded: true, isWarning: true, message: `Probe terminated redirects, Response body: ${body}` };
      if (statusCode >= 200 && statusCode < 300) return { succeeded: true, message: body };
      return failed(`HTTP probe failed with statuscode: ${statusCode}`);
    }
  } catch (error) {
    return failed(`Get "${url.href}": ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** An HTTP hook: whatever is answered is well. */
export async function getForHook(action: HTTPGetAction, target: ActionTarget, clock: Clock): Promise<ActionResult> {
  const url = urlOf(action, target);
  try {
    await get(url, headersOf(action, url, HOOK_USER_AGENT), HOOK_TIMEOUT_SECONDS * 1000, clock);
    return { succeeded: true, message: "" };
  } catch (error) {
    return failed(`Get "${url.href}": ${error instanceof Error ? error.message : String(error)}`);
  }
}

function failed(message: string): ActionResult {
  return { succeeded: false, message };
}

function urlOf({ scheme = "HTTP", host = "", port, path = "/" }: HTTPGetAction, { container, ip }: ActionTarget): URL {
  const number = portOf(container, port);
  if (number === undefined) throw new Error(`invalid port: ${port}`);
  const to = host === "" ? ip : host;
  const authority = to.includes(":") ? `[${to}]` : to;
  return new URL(`${scheme.toLowerCase()}://${authority}:${number}${path.startsWith("/") ? path : `/${path}`}`);
}

function headersOf({ httpHeaders = [] }: HTTPGetAction, url: URL, userAgent: string): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = { "user-agent": userAgent, accept: "*/*", host: url.host };
  const own = new Map<string, string[]>();
  for (const { name, value } of httpHeaders) own.set(name.toLowerCase(), [...(own.get(name.toLowerCase()) ?? []), value]);
  for (const [name, values] of own) {
    const [only = ""] = values;
    // An empty value takes away what is sent by default.
    if (values.length === 1 && only === "" && ["accept", "user-agent"].includes(name)) delete headers[name];
    else headers[name] = values.length === 1 || name === "host" ? only : values;
  }
  return headers;
}

/** Certificates are not verified: they are seldom made for a pod's address. */
function get(url: URL, headers: Record<string, string | string[]>, timeoutMs: number, clock: Clock): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const begin = url.protocol === "https:" ? httpsRequest : httpRequest;
    const sent = begin(url, { method: "GET", headers, agent: false, rejectUnauthorized: false });
    const late = new Error("context deadline exceeded (Client.Timeout exceeded while awaiting headers)");
    const timer = clock.setTimeout(() => sent.destroy(late), Math.max(0, timeoutMs), { unref: true });
    sent.once("response", (response) => {
      const end = (): void => {
        timer.clear();
        sent.destroy();
      };
      void read(response).then(resolve, reject).finally(end);
    });
    sent.once("error", (error: Error & { readonly code?: string; readonly address?: string; readonly port?: number }) => {
      timer.clear();
      const { code = "", address = url.hostname, port = url.port } = error;
      if (error === late) reject(late);
      else if (code === "ECONNRESET") reject(new Error("EOF"));
      else reject(new Error(`dial tcp ${address.includes(":") ? `[${address}]` : address}:${port}: ${connectProblem(error)}`));
    });
    sent.end();
  });
}

async function read(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes >= BODY_BYTES_MAX) break;
    }
  } catch {
    // The status has been told: what of the body came is enough.
  }
  const body = Buffer.concat(chunks).toString("utf8", 0, BODY_BYTES_MAX);
  return { statusCode: response.statusCode ?? 0, location: response.headers.location ?? "", body };
}
