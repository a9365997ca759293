const VERBS: Readonly<Record<string, string>> = { POST: "create", GET: "get", PUT: "update", PATCH: "patch", DELETE: "delete" };

/** Paths with a right of their own instead of `nodes/proxy`. */
const OWN: readonly (readonly [path: string, subresource: string])[] = [
  ["/stats/", "stats"],
  ["/metrics", "metrics"],
  ["/logs/", "log"],
  ["/checkpoint/", "checkpoint"],
];
/** Paths that either right opens (KubeletFineGrainedAuthz, KEP-2862). */
const FINE: readonly (readonly [path: string, subresource: string])[] = [
  ["/pods", "pods"],
  ["/runningpods/", "pods"],
  ["/healthz", "healthz"],
  ["/configz", "configz"],
];

/** Which right a request to a kubelet needs: a verb, and subresources of `nodes` of which one is enough. */
export interface RequestAttributes {
  readonly verb: string;
  readonly subresources: readonly string[];
}

/** The rights for a request (upstream's `GetRequestAttributes`). */
export function requestAttributes(method: string, path: string): RequestAttributes {
  const verb = VERBS[method] ?? "";
  const own = OWN.find(([of]) => isSubpath(path, of));
  if (own !== undefined) return { verb, subresources: [own[1]] };
  const fine = FINE.find(([of]) => isSubpath(path, of));
  return { verb, subresources: fine === undefined ? ["proxy"] : [fine[1], "proxy"] };
}

function isSubpath(path: string, of: string): boolean {
  const base = of.replace(/\/$/, "");
  return path === base || path.startsWith(`${base}/`);
}
