import type { Pod } from "#api/generated/core/v1.ts";
import { forbidden } from "#apimachinery/api-errors/errors.ts";
import type { AdmissionPluginFactory } from "#apiserver/admission/admission.ts";

const HOSTNAME = "kubernetes.io/hostname";

/** A pod keeps others off its node at most, not off a zone. */
export const limitPodHardAntiAffinityTopology: AdmissionPluginFactory = () => ({
  name: "LimitPodHardAntiAffinityTopology",
  validate: ({ operation, group, resource, subresource, object }) => {
    if (group !== "" || resource !== "pods" || subresource !== "" || (operation !== "CREATE" && operation !== "UPDATE")) return;
    const { metadata, spec } = object as unknown as Pod;
    const terms = spec?.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
    const other = terms.find(({ topologyKey }) => topologyKey !== HOSTNAME);
    if (other === undefined) return;
    const text = `affinity.PodAntiAffinity.RequiredDuringScheduling has TopologyKey ${other.topologyKey} but only key ${HOSTNAME} is allowed`;
    throw forbidden({ group, resource }, metadata?.name ?? "", text);
  },
});
