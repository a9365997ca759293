import { pageNotFound, plainText } from "#apiserver/non-resource/answers.ts";
import type { NonResourceRoute } from "#apiserver/non-resource/route.ts";

/** Profiles of the process, as texts of JSON. */
export interface Profiles {
  /** What ran for how long; for so many seconds from now, as a text. */
  readonly cpu: (seconds: string | null) => Promise<string>;
  /** What memory is used for. */
  readonly heap: () => Promise<string>;
}

const ROOT = "/debug/pprof";
const NO_SNIFF = { "x-content-type-options": "nosniff" };

/** What `--profiling` serves. Upstream's paths; the profiles are V8's, not Go's. */
export function profileRoutes(profiles: Profiles | undefined): ReadonlyMap<string, NonResourceRoute> {
  if (profiles === undefined) return new Map();
  const index: NonResourceRoute = () => plainText(200, "profile?seconds=30\nheap\n", NO_SNIFF);
  const json = (body: string) => ({ status: 200, headers: { "content-type": "application/json", ...NO_SNIFF }, body });
  return new Map<string, NonResourceRoute>([
    [ROOT, index],
    [`${ROOT}/`, index],
    [
      `${ROOT}/profile`,
      async ({ query, method }) => (method === "GET" ? json(await profiles.cpu(query.get("seconds"))) : pageNotFound()),
    ],
    [`${ROOT}/heap`, async ({ method }) => (method === "GET" ? json(await profiles.heap()) : pageNotFound())],
  ]);
}
