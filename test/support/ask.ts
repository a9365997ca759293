import { request } from "node:https";
import { gunzipSync } from "node:zlib";
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
      // A text goes as it is.
      const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
      const type = {
        "content-type": method === "PATCH" ? patch : "application/json",
        // Node would send the body of a DELETE without saying where it ends.
        "content-length": Buffer.byteLength(text ?? ""),
      };
      const headers = { ...(text === undefined ? {} : type), ...more };
      const sent = request(`${cluster.url}${path}`, { method, ca, cert, key, headers, agent: false }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk) => chunks.push(chunk));
        response.on("end", () => {
          const bytes = Buffer.concat(chunks);
          const answer = (response.headers["content-encoding"] === "gzip" ? gunzipSync(bytes) : bytes).toString();
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: parsed(answer),
            text: answer,
          });
        });
      });
      sent.on("error", reject);
      sent.end(text);
    });
}

/** What is not one JSON document, such as the events of a watch, is looked at as text. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
