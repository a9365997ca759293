import type { ResourceSet } from "#apiserver/registry/resource-set.ts";
import type { RequestContext } from "#apiserver/request/request-info.ts";
import { ManualClock } from "#base/manual-clock.ts";
import { seededRandom } from "#base/random.ts";
import { builtInResources } from "#kube-apiserver/registry/resources.ts";

/** The built-in resources without a server around them: what they ask of others they must not ask in pure hooks. */
export function pureResources(): ResourceSet {
  return builtInResources({
    stores: { of: () => ({ cached: () => undefined, listCached: () => [] }) } as never,
    clock: new ManualClock(NOW),
    random: seededRandom(1),
    network: {} as never,
    serviceRanges: ["10.0.0.0/24"],
    serviceNodePortRange: "30000-32767",
    virtual: [],
  });
}

/** What o'clock it is for hooks that ask. */
export const NOW: number = Date.UTC(2026, 0, 1);

/** A request by an administrator. */
export function contextOf(plural: string): RequestContext {
  return {
    user: { name: "admin", uid: "", groups: ["system:masters"], extra: {} },
    info: {
      isResourceRequest: true,
      path: `/api/v1/namespaces/default/${plural}`,
      verb: "create",
      apiPrefix: "api",
      apiGroup: "",
      apiVersion: "v1",
      namespace: "default",
      resource: plural,
      subresource: "",
      name: "",
      parts: [plural],
    },
    userAgent: "test",
    query: new URLSearchParams(),
    signal: new AbortController().signal,
    warnings: [],
  };
}
