import { expect, test } from "vitest";
import type { Container, ContainerPort, Node, NodeSpec, Pod, PodSpec } from "#api/generated/core/v1.ts";
import { rejectionOf } from "./pod-admission.ts";

const node = (spec: NodeSpec = {}, allocatable: Record<string, string> = {}): Node => ({
  metadata: { name: "n", labels: { disk: "ssd" } },
  spec,
  status: { allocatable: { cpu: "4", memory: "8Gi", pods: "3", "ephemeral-storage": "10Gi", ...allocatable } },
});
const container = (requests: Record<string, string>, more: Partial<Container> = {}): Container => ({
  name: "c",
  image: "i",
  resources: { requests },
  ...more,
});
const pod = (spec: Partial<PodSpec>, labels: Record<string, string> = {}): Pod => ({
  metadata: { name: "p", labels },
  spec: { containers: [container({})], ...spec },
});
const asking = (requests: Record<string, string>): Pod => pod({ containers: [container(requests)] });
const onPort = (hostPort: number, more: Partial<ContainerPort> = {}): Pod =>
  pod({ containers: [container({}, { ports: [{ containerPort: 1, hostPort, ...more }] })] });
const tainted = (effect: string): Node => node({ taints: [{ key: "k", effect }] });

interface Case {
  readonly name: string;
  readonly pod: Pod;
  readonly node?: Node;
  readonly others?: readonly Pod[];
  /** Reason and message; admitted when absent. */
  readonly want?: readonly [string, string];
}

const strict = pod({ securityContext: { supplementalGroupsPolicy: "Strict" } });
const knowing: Node = { ...node(), status: { ...node().status, features: { supplementalGroupsPolicy: true } } };

const cases: readonly Case[] = [
  { name: "a runtime that knows of it leaves out an image's groups", pod: strict, node: knowing },
  {
    name: "another does not",
    pod: strict,
    want: ["SupplementalGroupsPolicyNotSupported", "SupplementalGroupsPolicy=Strict is not supported in this node"],
  },
  { name: "what fits is admitted", pod: asking({ cpu: "1" }), others: [asking({ cpu: "3" })] },
  {
    name: "too little CPU is told in thousandths",
    pod: asking({ cpu: "1500m" }),
    others: [asking({ cpu: "2" }), asking({ cpu: "1" })],
    want: ["OutOfcpu", "Node didn't have enough resource: cpu, requested: 1500, used: 3000, capacity: 4000"],
  },
  {
    name: "memory in bytes",
    pod: asking({ memory: "9Gi" }),
    want: ["OutOfmemory", "Node didn't have enough resource: memory, requested: 9663676416, used: 0, capacity: 8589934592"],
  },
  {
    name: "CPU is told before memory",
    pod: asking({ memory: "9Gi", cpu: "5" }),
    want: ["OutOfcpu", "Node didn't have enough resource: cpu, requested: 5000, used: 0, capacity: 4000"],
  },
  {
    name: "and too many pods before both",
    pod: asking({ cpu: "5" }),
    others: [pod({}), pod({}), pod({})],
    want: ["OutOfpods", "Node didn't have enough resource: pods, requested: 1, used: 3, capacity: 3"],
  },
  { name: "a device that the node does not know is not its business", pod: asking({ "example.com/gpu": "1" }) },
  {
    name: "one that it knows is",
    pod: asking({ "example.com/gpu": "2" }),
    node: node({}, { "example.com/gpu": "1" }),
    want: ["OutOfexample.com/gpu", "Node didn't have enough resource: example.com/gpu, requested: 2, used: 0, capacity: 1"],
  },
  {
    name: "huge pages that are not there",
    pod: asking({ "hugepages-2Mi": "2Mi" }),
    want: ["OutOfhugepages-2Mi", "Node didn't have enough resource: hugepages-2Mi, requested: 2097152, used: 0, capacity: 0"],
  },
  {
    name: "labels of another node",
    pod: pod({ nodeSelector: { disk: "tape" } }),
    want: ["NodeAffinity", "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector"],
  },
  {
    name: "a port that is taken",
    pod: onPort(80),
    others: [onPort(80)],
    want: ["NodePorts", "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports"],
  },
  { name: "another port", pod: onPort(81), others: [onPort(80)] },
  { name: "the same port of another protocol", pod: onPort(80, { protocol: "UDP" }), others: [onPort(80)] },
  {
    name: "the same port of other addresses",
    pod: onPort(80, { hostIP: "192.0.2.1" }),
    others: [onPort(80, { hostIP: "192.0.2.2" }), onPort(80, { hostIP: "fd00::1" })],
  },
  {
    name: "the same port of the same address of IPv6",
    pod: onPort(80, { hostIP: "fd00::1" }),
    others: [onPort(80, { hostIP: "fd00::1" })],
    want: ["NodePorts", "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports"],
  },
  { name: "a taint that only keeps schedulers away", pod: pod({}), node: tainted("NoSchedule") },
  {
    name: "a taint that drives pods away",
    pod: pod({}),
    node: tainted("NoExecute"),
    want: ["TaintToleration", "Predicate TaintToleration failed: node(s) had taints that the pod didn't tolerate"],
  },
  { name: "unless it is tolerated", pod: pod({ tolerations: [{ operator: "Exists" }] }), node: tainted("NoExecute") },
  {
    name: "another operating system",
    pod: pod({ os: { name: "windows" } }),
    want: ["PodOSNotSupported", "Failed to admit pod as the OS field doesn't match node OS"],
  },
  {
    name: "a label of another operating system",
    pod: pod({}, { "kubernetes.io/os": "windows" }),
    want: ["PodOSSelectorNodeLabelDoesNotMatch", "Failed to admit pod as the `kubernetes.io/os` label doesn't match node label"],
  },
];

test.each(cases)("$name", ({ pod, node: ofCase = node(), others = [], want }) => {
  const rejection = rejectionOf(pod, ofCase, others);
  expect(rejection && [rejection.reason, rejection.message]).toEqual(want);
});
