import type { Node, Pod } from "#api/generated/core/v1.ts";
import { parseQuantity, type Quantity, quantityAdd, quantityMilliValue, quantityValue } from "#apimachinery/resource/quantity.ts";
import { ownValue } from "#base/own-value.ts";
import { matchesNodeSelectorAndAffinity } from "#component-helpers/node/node-affinity.ts";
import { findUntoleratedTaint } from "#component-helpers/node/taints.ts";
import { type HostPort, hostPortsOf, portsConflict } from "#component-helpers/pod/host-ports.ts";
import { podRequests } from "#component-helpers/pod/pod-requests.ts";
import type { ResizeProblem } from "./resize/pod-resizer.ts";

/** Why a node does not take a pod that was bound to it. */
export interface Rejection {
  readonly reason: string;
  readonly message: string;
  /** The node ends the pod for its own sake: budgets of disruptions and retries of Jobs count it as such. */
  readonly isDisruption?: boolean;
  /** What its condition says then, when not the message. */
  readonly disruptionMessage?: string;
}

/** What a node has too little of: whole numbers, processors in thousandths. */
export interface Lack {
  readonly resource: string;
  readonly requested: number;
  readonly used: number;
  readonly capacity: number;
}

const OS = "linux";
const OS_LABEL = "kubernetes.io/os";
const ZERO: Quantity = parseQuantity(0);

/**
 * Whether a node takes a pod on beside those that it has: upstream's `predicateAdmitHandler`. The scheduler has looked
 * at the same things, but a pod may name its node itself, and the node may have changed. For critical pods others may have
 * to go: see {@link lacksFor}.
 */
export function rejectionOf(pod: Pod, node: Node, others: readonly Pod[]): Rejection | undefined {
  return unfitness(pod, node) ?? shortage(pod, node, others) ?? mismatch(pod, node, others);
}

/** All that a node has too little of for a pod; undefined when something else stands against the pod too. */
export function lacksFor(pod: Pod, node: Node, others: readonly Pod[]): readonly Lack[] | undefined {
  const otherwise = unfitness(pod, node) ?? mismatch(pod, node, others);
  return otherwise === undefined ? [...lacks(pod, node, others)] : undefined;
}

/** Why a pod is not for such nodes. */
function unfitness(pod: Pod, node: Node): Rejection | undefined {
  const label = pod.metadata.labels?.[OS_LABEL];
  if (label !== undefined && label !== OS) {
    const message = "Failed to admit pod as the `kubernetes.io/os` label doesn't match node label";
    return { reason: "PodOSSelectorNodeLabelDoesNotMatch", message };
  }
  if (pod.spec.os !== undefined && pod.spec.os.name !== OS) {
    return { reason: "PodOSNotSupported", message: "Failed to admit pod as the OS field doesn't match node OS" };
  }
  const { supplementalGroupsPolicy } = pod.spec.securityContext ?? {};
  if (supplementalGroupsPolicy === "Strict" && node.status?.features?.supplementalGroupsPolicy !== true) {
    const message = "SupplementalGroupsPolicy=Strict is not supported in this node";
    return { reason: "SupplementalGroupsPolicyNotSupported", message };
  }
  return undefined;
}

/**
 * Why a node cannot give a pod other resources than it has: never, or not beside those that are there (upstream's
 * `canResizePod`). Static pods are what their manifests say.
 */
export function resizeProblemOf(pod: Pod, node: Node, others: readonly Pod[]): ResizeProblem | undefined {
  const allocatable = node.status?.allocatable ?? {};
  const requests = podRequests(pod);
  for (const name of ["cpu", "memory"]) {
    const amountOf = name === "cpu" ? quantityMilliValue : quantityValue;
    const requested = amountOf(requests.get(name) ?? ZERO);
    const capacity = amountOf(parseQuantity(ownValue(allocatable, name) ?? 0));
    if (requested <= capacity) continue;
    const message = `Node didn't have enough capacity: ${name}, requested: ${requested}, capacity: ${capacity}`;
    return { reason: "Infeasible", message };
  }
  const lacking = shortage(pod, node, others);
  return lacking === undefined ? undefined : { reason: "Deferred", message: lacking.message };
}

/** The first resource that the node has too little of. */
function shortage(pod: Pod, node: Node, others: readonly Pod[]): Rejection | undefined {
  for (const { resource, requested, used, capacity } of lacks(pod, node, others)) {
    const message = `Node didn't have enough resource: ${resource}, requested: ${requested}, used: ${used}, capacity: ${capacity}`;
    return { reason: `OutOf${resource}`, message };
  }
  return undefined;
}

function* lacks(pod: Pod, node: Node, others: readonly Pod[]): Generator<Lack> {
  const allocatable = node.status?.allocatable ?? {};
  const podsMax = quantityValue(parseQuantity(allocatable.pods ?? 0));
  if (others.length + 1 > podsMax) yield { resource: "pods", requested: 1, used: others.length, capacity: podsMax };
  const used = new Map<string, Quantity>();
  for (const other of others) {
    for (const [name, amount] of heldBy(other)) {
      used.set(name, quantityAdd(used.get(name) ?? ZERO, amount));
    }
  }
  for (const [name, quantity] of inOrder(podRequests(pod))) {
    // What no node has, such as devices of a claim, is given out by others.
    if (ownValue(allocatable, name) === undefined && isExtended(name)) continue;
    const amountOf = name === "cpu" ? quantityMilliValue : quantityValue;
    const requested = amountOf(quantity);
    const taken = amountOf(used.get(name) ?? ZERO);
    const capacity = amountOf(parseQuantity(ownValue(allocatable, name) ?? 0));
    if (requested > 0 && requested > capacity - taken) yield { resource: name, requested, used: taken, capacity };
  }
}

/** Objects of an informer never change: each is worked out once, however many pods come after it. */
const held = new WeakMap<Pod, ReadonlyMap<string, Quantity>>();

function heldBy(pod: Pod): ReadonlyMap<string, Quantity> {
  let requests = held.get(pod);
  if (requests === undefined) {
    requests = podRequests(pod, { useStatusResources: true });
    held.set(pod, requests);
  }
  return requests;
}

function inOrder(requests: ReadonlyMap<string, Quantity>): (readonly [string, Quantity])[] {
  const known = ["cpu", "memory", "ephemeral-storage"];
  const rank = (name: string): number => (known.includes(name) ? known.indexOf(name) : known.length);
  return [...requests].sort(([a], [b]) => rank(a) - rank(b));
}

function isExtended(name: string): boolean {
  return name.includes("/") && !name.includes("kubernetes.io/");
}

function mismatch(pod: Pod, node: Node, others: readonly Pod[]): Rejection | undefined {
  if (!matchesNodeSelectorAndAffinity(pod, node)) {
    return predicate("NodeAffinity", "node(s) didn't match Pod's node affinity/selector");
  }
  const wanted = hostPortsOf(pod);
  // Hardly any pod wants one: the others need not be asked.
  if (wanted.length > 0 && others.some((other) => takesOneOf(wanted, other))) {
    return predicate("NodePorts", "node(s) didn't have free ports for the requested pod ports");
  }
  // Other effects are the scheduler's business.
  if (findUntoleratedTaint(node.spec?.taints ?? [], pod.spec.tolerations ?? [], ["NoExecute"]) !== undefined) {
    return predicate("TaintToleration", "node(s) had taints that the pod didn't tolerate");
  }
  return undefined;
}

function takesOneOf(wanted: readonly HostPort[], other: Pod): boolean {
  return hostPortsOf(other).some((port) => wanted.some((one) => portsConflict(one, port)));
}

function predicate(name: string, description: string): Rejection {
  return { reason: name, message: `Predicate ${name} failed: ${description}` };
}
