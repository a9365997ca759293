import type { Node, Pod } from "#api/generated/core/v1.ts";
import { parseQuantity, quantityMilliValue, quantityValue } from "#apimachinery/resource/quantity.ts";
import { type AdmissionPluginFactory, admissionForbidden } from "#apiserver/admission/admission.ts";
import { podRequests } from "#component-helpers/pod/pod-requests.ts";
import { boundPodUpdate, nodeOfPod } from "./bound-pod-update.ts";

const OS_LABEL = "kubernetes.io/os";

/** Refuses resizes of pods beyond all that their node has, and on nodes that are not Linux's. */
export const podResizeValidator: AdmissionPluginFactory = ({ stores }) => ({
  name: "PodResizeValidator",
  validate: (attributes) => {
    const update = boundPodUpdate(attributes, ["resize"]);
    if (update === undefined) return;
    const node = nodeOfPod(stores, attributes, update.nodeName);
    const problem = tooMuch(update.after, node) ?? otherSystem(node);
    if (problem !== undefined) throw admissionForbidden(attributes, problem);
  },
});

function tooMuch(pod: Pod, { status }: Node): string | undefined {
  const requests = podRequests(pod);
  const over = (
    [
      ["cpu", quantityMilliValue],
      ["memory", quantityValue],
    ] as const
  ).flatMap(([name, amountOf]) => {
    const [requested, allocatable] = [requests.get(name), status?.allocatable?.[name]];
    const [wanted, has] = [
      requested ? amountOf(requested) : 0,
      allocatable === undefined ? 0 : amountOf(parseQuantity(allocatable)),
    ];
    return wanted > has ? [`${name}, requested: ${wanted}, allocatable: ${has}`] : [];
  });
  return over.length === 0 ? undefined : `Node didn't have enough allocatable resources: ${over.join("; ")}`;
}

function otherSystem({ metadata }: Node): string | undefined {
  const system = metadata?.labels?.[OS_LABEL] ?? "";
  if (system === "linux") return undefined;
  return `pod resize is only supported on linux nodes, node ${JSON.stringify(metadata?.name)} is ${JSON.stringify(system)}`;
}
