import type { Node, Pod } from "#api/generated/core/v1.ts";
import { type AdmissionAttributes, admissionForbidden } from "#apiserver/admission/admission.ts";
import type { Stores } from "#apiserver/registry/resource-set.ts";

/** A pod on a node whose spec changes. */
export interface BoundPodUpdate {
  readonly before: Pod;
  readonly after: Pod;
  readonly nodeName: string;
}

/** What a request changes of a pod that is on a node; undefined for all others, and where the spec stays as it is. */
export function boundPodUpdate(attributes: AdmissionAttributes, subresources: readonly string[]): BoundPodUpdate | undefined {
  const { operation, group, resource, subresource } = attributes;
  if (operation !== "UPDATE" || group !== "" || resource !== "pods" || !subresources.includes(subresource)) return undefined;
  const [before, after] = [attributes.oldObject, attributes.object] as unknown as readonly (Pod | undefined)[];
  const nodeName = after?.spec?.nodeName ?? "";
  if (before === undefined || after === undefined || nodeName === "") return undefined;
  // The generation rises with the spec alone.
  return before.metadata?.generation === after.metadata?.generation ? undefined : { before, after, nodeName };
}

/** The node of a pod. Throws 403 where it is not there. */
export function nodeOfPod(stores: Stores, attributes: AdmissionAttributes, nodeName: string): Node {
  const node = stores.of<Node>("", "nodes").cached("", nodeName);
  if (node === undefined) throw admissionForbidden(attributes, `node ${JSON.stringify(nodeName)} not found`);
  return node;
}
