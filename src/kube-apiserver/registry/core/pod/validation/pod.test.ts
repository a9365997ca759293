import { expect, test } from "vitest";
import type { Container, EnvVar, Pod, PodSpec, Volume } from "#api/generated/core/v1.ts";
import { setPodDefaults } from "../defaults.ts";
import { validatePodCreate } from "./pod.ts";

function told(change: Partial<PodSpec>, annotations: Record<string, string> = {}): string[] {
  const pod = {
    metadata: { name: "p", namespace: "n", annotations },
    spec: { containers: [{ name: "c", image: "i" }], ...structuredClone(change) },
  };
  setPodDefaults(pod as never);
  return validatePodCreate(pod as Pod).map(({ field, message }) => `${field}: ${message}`);
}
const withContainer = (change: Partial<Container>): Partial<PodSpec> => ({ containers: [{ name: "c", image: "i", ...change }] });
const fileRef = (path: string, volumeName = "v"): EnvVar => ({
  name: "A",
  valueFrom: { fileKeyRef: { volumeName, path, key: "k" } },
});
const volumes: Volume[] = [
  { name: "v", emptyDir: {} },
  { name: "w", hostPath: { path: "/" } },
];
const template = (metadata: object): Partial<PodSpec> => ({
  volumes: [
    {
      name: "v",
      ephemeral: {
        volumeClaimTemplate: { metadata, spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1" } } } },
      },
    },
  ],
});
const TEMPLATE = "spec.volumes[0].ephemeral.volumeClaimTemplate.metadata";

test.each<[string, Partial<PodSpec>, string[]]>([
  ["a variable out of a file", { ...withContainer({ env: [fileRef("/a/..b")] }), volumes }, []],
  [
    "a file above its volume",
    { ...withContainer({ env: [fileRef("a/../b")] }), volumes },
    [`spec.containers[0].env[0].valueFrom.fileKeyRef.path: Invalid value: "a/../b": must not contain '..'`],
  ],
  [
    "a file of the node",
    { ...withContainer({ env: [fileRef("a", "w")] }), volumes },
    ['spec.containers[0].env[0].valueFrom.fileKeyRef.volumeName: Invalid value: "w": referenced volume must be of type emptyDir'],
  ],
  [
    "addresses with leading zeros",
    { dnsConfig: { nameservers: ["010.0.0.1"] }, hostAliases: [{ ip: "::ffff:1.2.3.4" }] },
    [
      'spec.dnsConfig.nameservers[0]: Invalid value: "010.0.0.1": must not have leading 0s',
      'spec.hostAliases[0].ip: Invalid value: "::ffff:1.2.3.4": must not be an IPv4-mapped IPv6 address',
    ],
  ],
  [
    "a claim with a name of its own",
    template({ uid: "u", name: "a", generation: 0, labels: {} }),
    [`${TEMPLATE}.name: Forbidden: cannot be set`, `${TEMPLATE}.uID: Forbidden: cannot be set`],
  ],
  [
    "keys to match and no selector",
    {
      topologySpreadConstraints: [{ maxSkew: 1, topologyKey: "z", whenUnsatisfiable: "DoNotSchedule", matchLabelKeys: ["a b"] }],
    },
    ["spec.topologySpreadConstraints[0].matchLabelKeys: Forbidden: must not be specified when labelSelector is not set"],
  ],
  [
    "a key in both places",
    {
      topologySpreadConstraints: [
        {
          maxSkew: 1,
          topologyKey: "z",
          whenUnsatisfiable: "DoNotSchedule",
          matchLabelKeys: ["a"],
          labelSelector: { matchLabels: { a: "1" }, matchExpressions: [{ key: "a", operator: "In", values: ["1"] }] },
        },
      ],
    },
    ['spec.topologySpreadConstraints[0][0]: Invalid value: "a": exists in both matchLabelKeys and labelSelector'],
  ],
  [
    "resources of a pod for Windows",
    { os: { name: "windows" }, resources: { requests: { cpu: "1" } } },
    ["spec.resources: Forbidden: may not be set for a windows pod"],
  ],
  [
    "huge pages beyond the pod's",
    {
      ...withContainer({ resources: { limits: { "hugepages-2Mi": "4Mi", cpu: "1" }, requests: { "hugepages-2Mi": "4Mi" } } }),
      resources: { limits: { "hugepages-2Mi": "2Mi", cpu: "1" }, requests: { "hugepages-2Mi": "2Mi" } },
    },
    [
      'spec.resources.requests[hugepages-2Mi]: Invalid value: "2Mi": must be greater than or equal to aggregate container requests of 4Mi',
      'spec.resources.limits[hugepages-2Mi]: Invalid value: "2Mi": must be greater than or equal to aggregate container limits of 4Mi',
      'spec.resources.containers[0][hugepages-2Mi].limits: Invalid value: "4Mi": must be less than or equal to pod limits of 2Mi',
    ],
  ],
  [
    "an init container that a resize would restart",
    { initContainers: [{ name: "i", image: "i", resizePolicy: [{ resourceName: "cpu", restartPolicy: "RestartContainer" }] }] },
    [
      "spec.initContainers[0].resizePolicy[0].restartPolicy: Invalid value: \"RestartContainer\": must not be set to 'RestartContainer' for non-sidecar initContainers",
    ],
  ],
])("a pod with %s", (_, change, want) => {
  expect(told(change)).toEqual(want);
});

test.each<[string, string[]]>([
  ["[]", []],
  ["[", ['metadata.annotations: Invalid value: "scheduler.alpha.kubernetes.io/tolerations": unexpected end of JSON input']],
  [
    "1",
    [
      'metadata.annotations: Invalid value: "scheduler.alpha.kubernetes.io/tolerations": json: cannot unmarshal number into Go value of type []core.Toleration',
    ],
  ],
])("tolerations annotated as %s", (text, want) => {
  expect(told({}, { "scheduler.alpha.kubernetes.io/tolerations": text })).toEqual(want);
});

test("what the kubelet makes has no claims", () => {
  const change = { nodeName: "a", resourceClaims: [{ name: "", resourceClaimName: "b" }] };
  expect(told(change, { "kubernetes.io/config.mirror": "x" })).toEqual([
    "[]: Forbidden: static pods do not support resource claims",
  ]);
});
