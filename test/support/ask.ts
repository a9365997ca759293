import { request } from "node:https";
import type { Cluster } from "#envtest/envtest.ts";

/** An answer of the API server. */
export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever was answered.
  readonly body: any;
  readonly text: string;
}

/** Sends requests over HTTPS as the cluster's administrator. A PATCH with a list is a JSON patch, with an object a merge patch. */
export function asker(
  cluster: Pick<Cluster, "url" | "credentials">,
): (method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>) => Promise<Answered> {
  return (method, path, body, more = {}) =>
    new Promise((resolve, reject) => {
      const { ca, cert, key } = cluster.credentials;
      const patch = Array.isArray(body) ? "application/json-patch+json" : "application/merge-patch+json";
      const text = body === undefined ? undefined : JSON.stringify(body);
      const type = {
        "content-type": method === "PATCH" ? patch : "application/json",
        // Node would send the body of a DELETE without saying where it ends.
        "content-length": Buffer.byteLength(text ?? ""),
      };
      const headers = { ...(text === undefined ? {} : type), ...more };
      const sent = request(`${cluster.url}${path}`, { method, ca, cert, key, headers, agent: false }, (response) => {
        let answer = "";
        response.on("data", (chunk) => {
          answer += chunk;
        });
        response.on("end", () => {
          const json = response.headers["content-type"]?.includes("json") === true && !path.includes("watch=true");
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: json ? JSON.parse(answer) : {},
            text: answer,
          });
        });
      });
      sent.on("error", reject);
      sent.end(text);
    });
}
