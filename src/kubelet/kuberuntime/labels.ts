import type { Container, Pod } from "#api/generated/core/v1.ts";
import { memoized } from "#base/memo.ts";
import type { ContainerStatus } from "#cri/container.ts";

/** Labels and annotations by which a kubelet knows its sandboxes and containers again, as upstream's `kuberuntime/labels.go` has them. */
export const POD_NAME_LABEL = "io.kubernetes.pod.name";
export const POD_NAMESPACE_LABEL = "io.kubernetes.pod.namespace";
export const POD_UID_LABEL = "io.kubernetes.pod.uid";
export const CONTAINER_NAME_LABEL = "io.kubernetes.container.name";
export const CONTAINER_HASH_ANNOTATION = "io.kubernetes.container.hash";
const RESTART_COUNT_ANNOTATION = "io.kubernetes.container.restartCount";
export const TERMINATION_PATH_ANNOTATION = "io.kubernetes.container.terminationMessagePath";
export const TERMINATION_POLICY_ANNOTATION = "io.kubernetes.container.terminationMessagePolicy";
const DELETION_GRACE_ANNOTATION = "io.kubernetes.pod.deletionGracePeriod";
const TERMINATION_GRACE_ANNOTATION = "io.kubernetes.pod.terminationGracePeriod";
const PRE_STOP_ANNOTATION = "io.kubernetes.container.preStopHandler";
const PORTS_ANNOTATION = "io.kubernetes.container.ports";

/** Containers whose hashes are remembered. */
const HASHES_MAX = 4096;

type Texts = Readonly<Record<string, string>>;

/** The labels of a pod's sandbox: its own, and who it is. */
export function sandboxLabels({ metadata }: Pod): Texts {
  const { name = "", namespace = "", uid = "", labels = {} } = metadata;
  return { ...labels, [POD_NAME_LABEL]: name, [POD_NAMESPACE_LABEL]: namespace, [POD_UID_LABEL]: uid };
}

/** The labels of a container. */
export function containerLabels({ metadata }: Pod, container: Container): Texts {
  const { name = "", namespace = "", uid = "" } = metadata;
  return {
    [POD_NAME_LABEL]: name,
    [POD_NAMESPACE_LABEL]: namespace,
    [POD_UID_LABEL]: uid,
    [CONTAINER_NAME_LABEL]: container.name,
  };
}

/** What is written down of a container to know later what it was made from, and how it is to be ended. */
export function containerAnnotations({ metadata, spec }: Pod, container: Container, attempt: number): Texts {
  const { terminationMessagePath = "", terminationMessagePolicy = "", lifecycle, ports = [] } = container;
  const { deletionGracePeriodSeconds: deletionSeconds } = metadata;
  const { terminationGracePeriodSeconds: graceSeconds } = spec;
  return {
    [CONTAINER_HASH_ANNOTATION]: containerHash(container),
    [RESTART_COUNT_ANNOTATION]: String(attempt),
    [TERMINATION_PATH_ANNOTATION]: terminationMessagePath,
    [TERMINATION_POLICY_ANNOTATION]: terminationMessagePolicy,
    ...(deletionSeconds === undefined ? {} : { [DELETION_GRACE_ANNOTATION]: String(deletionSeconds) }),
    ...(graceSeconds === undefined ? {} : { [TERMINATION_GRACE_ANNOTATION]: String(graceSeconds) }),
    ...(lifecycle?.preStop === undefined ? {} : { [PRE_STOP_ANNOTATION]: JSON.stringify(lifecycle.preStop) }),
    ...(ports.length === 0 ? {} : { [PORTS_ANNOTATION]: JSON.stringify(ports) }),
  };
}

/** What of a container's spec makes it another one when it changes: its name and image (upstream's `HashContainer`). */
export function containerHash({ name, image = "" }: Container): string {
  return hashOf(JSON.stringify({ image, name }));
}

const hashOf: (text: string) => string = memoized(HASHES_MAX, (text) => {
  // FNV-1a, 32 bits.
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash.toString(16);
});

/** Whether a container was made from another spec than it has now. What tells nothing of that was not. */
export function hasChanged(status: ContainerStatus, container: Container): boolean {
  const hash = status.annotations[CONTAINER_HASH_ANNOTATION];
  return hash !== undefined && hash !== containerHash(container);
}
