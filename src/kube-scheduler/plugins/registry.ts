import type { Clock } from "#base/clock.ts";
import type { Client } from "#client/client.ts";
import type { ClusterLister } from "../framework/cluster-lister.ts";
import type { Plugin } from "../framework/plugin.ts";
import { defaultBinder } from "./default-binder/default-binder.ts";
import { defaultPreemption, type PreemptionHandle } from "./default-preemption/default-preemption.ts";
import { dynamicResources } from "./dynamic-resources/dynamic-resources.ts";
import { imageLocality } from "./image-locality/image-locality.ts";
import { interPodAffinity } from "./inter-pod-affinity/inter-pod-affinity.ts";
import { nodeAffinity } from "./node-affinity/node-affinity.ts";
import { nodeName } from "./node-name/node-name.ts";
import { nodePorts } from "./node-ports/node-ports.ts";
import { nodeResourcesBalancedAllocation } from "./node-resources-balanced-allocation/node-resources-balanced-allocation.ts";
import { nodeResourcesFit } from "./node-resources-fit/node-resources-fit.ts";
import { nodeUnschedulable } from "./node-unschedulable/node-unschedulable.ts";
import { podTopologySpread } from "./pod-topology-spread/pod-topology-spread.ts";
import { prioritySort } from "./priority-sort/priority-sort.ts";
import { schedulingGates } from "./scheduling-gates/scheduling-gates.ts";
import { taintToleration } from "./taint-toleration/taint-toleration.ts";
import { volumeBinding } from "./volume-binding/volume-binding.ts";
import { volumeRestrictions } from "./volume-restrictions/volume-restrictions.ts";
import { volumeZone } from "./volume-zone/volume-zone.ts";

/** What plugins are made with. */
export interface PluginOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly cluster: ClusterLister;
  readonly preemption: PreemptionHandle;
}

/** The plugins of the default profile in upstream's order, which is also the order in which reasons are found. */
export function defaultPlugins(options: PluginOptions): readonly Plugin[] {
  return [
    schedulingGates(),
    prioritySort(),
    nodeUnschedulable(),
    nodeName(),
    taintToleration(),
    nodeAffinity(),
    nodePorts(),
    nodeResourcesFit({
      node: (name) => options.cluster.node(name),
      lowestPriority: () => options.cluster.lowestPriority(),
      nominatedNodeOf: (uid) => options.preemption.nominatedNodeOf(uid),
    }),
    volumeRestrictions(options.cluster),
    volumeBinding(options),
    volumeZone(options.cluster),
    podTopologySpread(options.cluster),
    interPodAffinity(options.cluster),
    dynamicResources(),
    defaultPreemption(options.preemption),
    nodeResourcesBalancedAllocation(),
    imageLocality(options.cluster),
    defaultBinder({ client: options.client }),
  ];
}
