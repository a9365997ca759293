import { sendText } from "./answer.ts";
import type { KubeletHost } from "./kubelet-host.ts";
import type { KubeletCall, KubeletRoute } from "./routes.ts";

const CHECKS: Readonly<Record<string, (host: KubeletHost) => boolean>> = {
  ping: () => true,
  log: () => true,
  syncloop: (host) => host.isSyncing(),
};

/** `/healthz`, all checks together, and each by itself. */
export const health: readonly KubeletRoute[] = [
  { path: "/healthz", methods: ["GET", "HEAD"], serve: serveAll },
  { path: "/healthz/{check}", methods: ["GET", "HEAD"], serve: serveOne },
];

async function serveAll({ host, query, response }: KubeletCall): Promise<void> {
  const excluded = query.getAll("exclude");
  const results = Object.entries(CHECKS).map(([name, check]) => ({ name, excluded: excluded.includes(name), ok: check(host) }));
  for (const { name, excluded: skipped, ok } of results) if (!skipped) host.metrics?.slis.observe(name, "healthz", ok);
  const lines = results.map(({ name, excluded: skipped, ok }) =>
    skipped ? `[+]${name} excluded: ok\n` : ok ? `[+]${name} ok\n` : `[-]${name} failed: reason withheld\n`,
  );
  const failed = results.some(({ excluded: skipped, ok }) => !skipped && !ok);
  if (failed) sendText(response, 500, `${lines.join("")}healthz check failed\n`);
  else sendText(response, 200, query.has("verbose") ? `${lines.join("")}healthz check passed\n` : "ok");
}

async function serveOne({ host, parameters, response }: KubeletCall): Promise<void> {
  const { check = "" } = parameters;
  const found = Object.hasOwn(CHECKS, check) ? CHECKS[check] : undefined;
  if (found === undefined) sendText(response, 404, "404 page not found\n");
  else if (found(host)) sendText(response, 200, "ok");
  else sendText(response, 500, "internal server error: the node does not look after its pods\n");
}
