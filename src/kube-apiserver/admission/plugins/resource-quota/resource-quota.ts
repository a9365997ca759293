import type { ResourceQuota } from "#api/generated/core/v1.ts";
import { isConflict, isNotFound } from "#apimachinery/api-errors/errors.ts";
import type { AdmissionPluginFactory } from "#apiserver/admission/admission.ts";
import type { Store } from "#apiserver/registry/resource.ts";
import { quotaEvaluatorFor } from "#component-helpers/quota/evaluators.ts";
import { formatResourceList } from "#component-helpers/quota/resource-list.ts";
import { internalContext } from "../../../registry/internal-context.ts";
import type { RunningQuota } from "./check-request.ts";
import type { LimitedResource } from "./limited-resources.ts";
import { QuotaBatches } from "./quota-batches.ts";

/** What no quota counts: events, and what is not stored. */
const IGNORED: ReadonlySet<string> = new Set([
  "/bindings",
  "/componentstatuses",
  "/events",
  "events.k8s.io/events",
  "authentication.k8s.io/selfsubjectreviews",
  "authentication.k8s.io/tokenreviews",
  "authorization.k8s.io/localsubjectaccessreviews",
  "authorization.k8s.io/selfsubjectaccessreviews",
  "authorization.k8s.io/selfsubjectrulesreviews",
  "authorization.k8s.io/subjectaccessreviews",
]);

/** Charges a namespace's quotas with what a request will use, and refuses it where that is too much, or limited and in no quota. Comes last. */
export const resourceQuota =
  (limited: readonly LimitedResource[] = []): AdmissionPluginFactory =>
  ({ stores, clock }) => {
    const quotas = (): Store<ResourceQuota> => stores.of<ResourceQuota>("", "resourcequotas");
    const access = {
      list: (namespace: string) => quotas().listCached(namespace),
      charge: (running: RunningQuota) => charge(quotas(), running),
    };
    const batches = new QuotaBatches(access, clock, limited);
    return {
      name: "ResourceQuota",
      validate: (attributes) => {
        const { operation, group, resource, subresource, namespace } = attributes;
        if (namespace === "" || (operation !== "CREATE" && operation !== "UPDATE")) return;
        if (group === "" && resource === "namespaces") return;
        if (IGNORED.has(`${group}/${resource}`) || !quotaEvaluatorFor(group, resource).handles({ operation, subresource }))
          return;
        if (limited.length === 0 && quotas().listCached(namespace).length === 0) return;
        return batches.admit(attributes);
      },
    };
  };

/** Whoever wrote first is right: what was judged by an older state is not written over a newer one. */
class Outdated extends Error {}

async function charge(quotas: Store<ResourceQuota>, { quota, used }: RunningQuota): Promise<boolean> {
  const { namespace = "", name = "", uid, resourceVersion } = quota.metadata;
  const context = internalContext();
  try {
    await quotas.update(
      namespace,
      name,
      (draft) => {
        if (draft.metadata?.uid !== uid || draft.metadata?.resourceVersion !== resourceVersion) throw new Outdated();
        draft.status = { ...draft.status, used: formatResourceList(used) };
      },
      context,
      { subresource: "status", fieldManager: context.userAgent },
    );
    return true;
  } catch (error) {
    if (error instanceof Outdated || isConflict(error) || isNotFound(error)) return false;
    throw error;
  }
}
