import type { Pod } from "#api/generated/core/v1.ts";
import {
  type LabelRequirement,
  type LabelSelector,
  labelSelectorFromObject,
  selectorFromRequirements,
  selectorFromSet,
} from "#apimachinery/labels/selector.ts";
import { controllerOf } from "#component-helpers/pod/owner.ts";
import type { ClusterLister } from "../../framework/cluster-lister.ts";

/** The pods that belong together with a pod: by the services that mean it and the controller that made it. Empty for none. */
export function defaultSelector(pod: Pod, cluster: ClusterLister): LabelSelector {
  const { namespace = "" } = pod.metadata;
  const together: Record<string, string> = {};
  for (const { spec } of cluster.servicesOf(pod)) Object.assign(together, spec?.selector);
  const more: LabelRequirement[] = [];
  const owner = controllerOf(pod);
  switch (owner === undefined ? "" : `${owner.apiVersion} ${owner.kind}`) {
    case "v1 ReplicationController":
      Object.assign(together, cluster.replicationController(namespace, owner?.name ?? "")?.spec?.selector);
      break;
    case "apps/v1 ReplicaSet":
      more.push(...requirementsOf(cluster.replicaSet(namespace, owner?.name ?? "")));
      break;
    case "apps/v1 StatefulSet":
      more.push(...requirementsOf(cluster.statefulSet(namespace, owner?.name ?? "")));
      break;
  }
  return selectorFromRequirements([...selectorFromSet(together).requirements, ...more]);
}

type SelectorFields = Parameters<typeof labelSelectorFromObject>[0];

function requirementsOf(
  owner: { readonly spec?: { readonly selector?: SelectorFields } } | undefined,
): readonly LabelRequirement[] {
  return labelSelectorFromObject(owner?.spec?.selector).requirements;
}
