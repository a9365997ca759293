import { sendText } from "./answer.ts";
import type { KubeletCall, KubeletRoute } from "./routes.ts";

const METHODS = ["GET", "POST"];
const JSON_TYPE = { "content-type": "application/json" };

/** `/debug/pprof/`: upstream's paths; the profiles are V8's, for a browser's developer tools, not Go's. */
export const profiles: readonly KubeletRoute[] = [
  { path: "/debug/pprof/profile", methods: METHODS, serve: serveCpu },
  { path: "/debug/pprof/heap", methods: METHODS, serve: serveHeap },
  {
    path: "/debug/pprof/",
    methods: METHODS,
    serve: async ({ response }) => sendText(response, 200, "profile?seconds=30\nheap\n"),
  },
];

async function serveCpu({ host, query, response }: KubeletCall): Promise<void> {
  if (host.profiles === undefined) sendText(response, 404, "404 page not found\n");
  else sendText(response, 200, await host.profiles.cpu(query.get("seconds")), JSON_TYPE);
}

async function serveHeap({ host, response }: KubeletCall): Promise<void> {
  if (host.profiles === undefined) sendText(response, 404, "404 page not found\n");
  else sendText(response, 200, await host.profiles.heap(), JSON_TYPE);
}
