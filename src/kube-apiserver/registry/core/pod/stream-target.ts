import type { Node, Pod } from "#api/generated/core/v1.ts";
import { badRequest, notFound } from "#apimachinery/api-errors/errors.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import type { Stores } from "#apiserver/registry/resource-set.ts";
import { visitContainers } from "./visit-containers.ts";

/** The container that a request is about: the one named, or the only one. Throws what upstream answers otherwise. */
export function chooseContainer(pod: Pod, wanted: string): string {
  const podName = pod.metadata?.name ?? "";
  const names: string[] = [];
  visitContainers(pod.spec ?? { containers: [] }, FieldPath.root, (container) => {
    names.push(container.name);
  });
  if (wanted !== "") {
    if (names.includes(wanted)) return wanted;
    throw badRequest(`container ${wanted} is not valid for pod ${podName}`);
  }
  const [only, ...more] = pod.spec?.containers ?? [];
  if (!only) throw badRequest(`a container name must be specified for pod ${podName}`);
  if (more.length === 0) return only.name;
  throw badRequest(`a container name must be specified for pod ${podName}, choose one of: [${names.join(" ")}]`);
}

/** Where exec, attach and port-forward would go: the node must be known. Upstream reports a missing node as a missing pod. */
export function requireNode(pod: Pod, stores: Stores): Node {
  const nodeName = pod.spec?.nodeName ?? "";
  const node = stores.of<Node>("", "nodes").cached("", nodeName);
  if (!node) throw notFound({ group: "", resource: "pods" }, nodeName);
  return node;
}
