import { request } from "node:https";
import type { Cluster } from "#envtest/envtest.ts";

/** An event of a watch. */
export interface WatchEvent {
  readonly type: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever was sent.
  readonly object: any;
}

/** A watch over HTTPS that keeps what it has seen. */
export interface Watching extends Disposable {
  readonly events: readonly WatchEvent[];
  /** Types and names, such as `ADDED a`. */
  readonly seen: readonly string[];
}

/** Starts a watch as the cluster's administrator; resolves when the server has begun to answer. */
export function startWatch(
  { url, credentials }: Pick<Cluster, "url" | "credentials">,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Watching> {
  return new Promise((resolve, reject) => {
    const events: WatchEvent[] = [];
    const { ca, cert, key } = credentials;
    const sent = request(`${url}${path}`, { ca, cert, key, headers, agent: false }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`${path}: ${response.statusCode}`));
      let rest = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        const lines = (rest + chunk).split("\n");
        rest = lines.pop() ?? "";
        events.push(...lines.filter((line) => line !== "").map((line) => JSON.parse(line) as WatchEvent));
      });
      response.on("error", () => undefined);
      resolve({
        events,
        get seen() {
          return events.map(({ type, object }) => `${type} ${object.metadata?.name ?? ""}`.trim());
        },
        [Symbol.dispose]: () => sent.destroy(),
      });
    });
    sent.on("error", reject);
    sent.end();
  });
}
