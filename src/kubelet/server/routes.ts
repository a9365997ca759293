import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Clock } from "#base/clock.ts";
import type { KubeletHost } from "./kubelet-host.ts";

/** A request that may be answered: who asks has been found out, and may. */
export interface KubeletCall {
  readonly host: KubeletHost;
  readonly clock: Clock;
  readonly request: IncomingMessage;
  readonly path: string;
  readonly query: URLSearchParams;
  /** What stands in the place of `{name}` in the route's path. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly response: ServerResponse;
  /** For a request that wants another protocol: its connection, and what came with it. */
  readonly upgrade: { readonly socket: Duplex; readonly head: Buffer } | undefined;
}

/** A path with `{name}` for a part and `{name:*}` for the rest, and what answers there. */
export interface KubeletRoute {
  readonly path: string;
  readonly methods: readonly string[];
  readonly serve: (call: KubeletCall) => Promise<void>;
}

/** The route for a path, with its parameters. */
export function findRoute(
  routes: readonly KubeletRoute[],
  path: string,
): { readonly route: KubeletRoute; readonly parameters: Readonly<Record<string, string>> } | undefined {
  const parts = path.split("/");
  for (const route of routes) {
    const parameters = match(route.path.split("/"), parts);
    if (parameters !== undefined) return { route, parameters };
  }
  return undefined;
}

function match(pattern: readonly string[], parts: readonly string[]): Record<string, string> | undefined {
  const parameters: Record<string, string> = {};
  for (const [i, piece] of pattern.entries()) {
    const part = parts[i];
    const [, name = "", rest = ""] = /^\{(\w+)(:\*)?\}$/.exec(piece) ?? [];
    if (rest !== "") {
      parameters[name] = decode(parts.slice(i).join("/"));
      return parameters;
    }
    if (part === undefined || (name === "" && part !== piece) || (name !== "" && part === "")) return undefined;
    if (name !== "") parameters[name] = decode(part);
  }
  // A slash at the end makes no difference.
  const left = parts.slice(pattern.length);
  return left.length === 0 || (left.length === 1 && left[0] === "") ? parameters : undefined;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
