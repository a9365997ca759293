import type { Binding, Pod, PodCondition } from "#api/generated/core/v1.ts";
import { badRequest, conflict } from "#apimachinery/api-errors/errors.ts";
import { plainError } from "#apimachinery/api-errors/plain-error.ts";
import type { ApiObject, Draft } from "#apimachinery/meta/api-object.ts";
import { formatTime } from "#apimachinery/meta/time.ts";
import type { ConnectSubresource, Store } from "#apiserver/registry/resource.ts";
import type { RequestContext } from "#apiserver/request/request-info.ts";
import type { Clock } from "#base/clock.ts";

const SUCCESS: ApiObject = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 };
const BINDINGS = { group: "", resource: "pods/binding" };

/** Assigns a pod to a node, once. Serves `pods/binding` and the resource `bindings`. */
export async function bindPod(
  binding: Binding,
  context: RequestContext,
  modules: { readonly store: Store<Pod>; readonly clock: Clock },
  dryRun: boolean,
): Promise<ApiObject> {
  const name = binding.metadata?.name ?? "";
  checkTarget(binding);
  const bind = (pod: Draft<Pod>): void => {
    checkPreconditions(binding, pod, dryRun);
    if (pod.metadata?.deletionTimestamp) {
      throw conflict(BINDINGS, name, `pod ${name} is being deleted, cannot be assigned to a host`);
    }
    if (pod.spec?.nodeName) {
      throw conflict(BINDINGS, name, `pod ${name} is already assigned to node "${pod.spec.nodeName}"`);
    }
    if ((pod.spec?.schedulingGates ?? []).length > 0) {
      throw conflict(BINDINGS, name, `pod ${name} has non-empty .spec.schedulingGates`);
    }
    assign(pod, binding, formatTime(modules.clock.now()));
  };
  await modules.store.update(context.info.namespace, name, bind, context, {
    subresource: "binding",
    dryRun,
    skipValidation: true,
    // A pod's containers and volumes are most of it, and stay.
    shallow: true,
  });
  return SUCCESS;
}

/** Upstream answers a malformed binding with a 500. */
function checkTarget(binding: Binding): void {
  const messages: string[] = [];
  const kind = binding.target?.kind ?? "";
  if (kind !== "" && kind !== "Node") {
    messages.push(`target.kind: Unsupported value: ${JSON.stringify(kind)}: supported values: "Node", "<empty>"`);
  }
  if (!binding.target?.name) messages.push("target.name: Required value");
  const [first, ...more] = messages;
  if (first !== undefined) throw plainError(more.length > 0 ? `[${messages.join(", ")}]` : first);
}

/** A binding may say which pod it means, and in which state. */
export function checkPreconditions({ metadata: wanted }: Binding, pod: Draft<Pod>, dryRun: boolean): void {
  const { name = "", namespace = "", uid = "", resourceVersion = "" } = pod.metadata ?? {};
  const failed =
    wanted?.uid && wanted.uid !== uid
      ? `UID in precondition: ${wanted.uid}, UID in object meta: ${uid}`
      : wanted?.resourceVersion && wanted.resourceVersion !== resourceVersion
        ? `ResourceVersion in precondition: ${wanted.resourceVersion}, ResourceVersion in object meta: ${resourceVersion}`
        : undefined;
  if (failed === undefined) return;
  // Upstream's storage names its key, what simulates it for dry runs the key below the prefix.
  const key = `${dryRun ? "" : "/registry"}/pods/${namespace}/${name}`;
  const text = `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: ${failed}`;
  throw conflict({ group: "", resource: "pods" }, name, text);
}

/** Alters what is the draft's own, and no more: the pod, and the members of its metadata, spec and status. */
function assign(pod: Draft<Pod>, binding: Binding, now: string): void {
  if (pod.spec) pod.spec.nodeName = binding.target.name ?? "";
  const { metadata } = pod;
  if (metadata) {
    const { annotations, labels } = binding.metadata ?? {};
    if (annotations) metadata.annotations = { ...metadata.annotations, ...annotations };
    if (labels) metadata.labels = { ...metadata.labels, ...labels };
  }
  pod.status ??= {};
  // A nomination has served its purpose (KEP-5278).
  delete pod.status.nominatedNodeName;
  const conditions: Draft<PodCondition>[] = [...(pod.status.conditions ?? [])];
  const index = conditions.findIndex((condition) => condition.type === "PodScheduled");
  const old = conditions[index];
  const changed = old?.status !== "True";
  const scheduled: Draft<PodCondition> = {
    type: "PodScheduled",
    status: "True",
    ...(changed || old.lastTransitionTime === undefined
      ? { lastTransitionTime: now }
      : { lastTransitionTime: old.lastTransitionTime }),
  };
  if (index < 0) conditions.push(scheduled);
  else conditions[index] = scheduled;
  pod.status.conditions = conditions;
}

/** POST of `pods/NAME/binding`. */
export function bindingSubresource(clock: Clock): ConnectSubresource<Pod> {
  return {
    type: "connect",
    kind: { group: "", version: "v1", kind: "Binding" },
    verbs: ["create"],
    // Binding is not a change of the desired state, and touches both spec and status.
    write: { type: "status", prepareForUpdate: () => undefined },
    create: (name, body, context, store, dryRun) => {
      if (name !== (body.metadata?.name ?? "")) throw badRequest("name in URL does not match name in Binding object");
      return bindPod(body as unknown as Binding, context, { store, clock }, dryRun);
    },
  };
}
