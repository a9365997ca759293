import { expect, test } from "vitest";
import type { Pod, PodSpec } from "#api/generated/core/v1.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { podTemplateWarnings, podWarnings, workloadNameWarnings } from "./warnings.ts";

function warningsOf(spec: Partial<PodSpec>, metadata: object = {}): string[] {
  return podWarnings({ metadata: { name: "a", ...metadata }, spec: { containers: [], ...spec } } as Pod);
}

const NO_SELECTOR = "a null labelSelector results in matching no pod";

test.each<{ name: string; spec: Partial<PodSpec>; want: string[] }>([
  {
    name: "files of one ConfigMap that are in one another's way",
    spec: {
      volumes: [
        {
          name: "v",
          configMap: {
            name: "c",
            items: [
              { key: "a", path: "x/y" },
              { key: "b", path: "x/" },
            ],
          },
        },
      ],
    },
    want: ['volume "v" (ConfigMap "c"): overlapping paths: "x" with "x/y"'],
  },
  {
    name: "files of several sources",
    spec: {
      volumes: [
        {
          name: "v",
          projected: {
            sources: [
              { secret: { name: "s", items: [{ key: "a", path: "token" }] } },
              { serviceAccountToken: { path: "token" } },
              { serviceAccountToken: { path: "tokens" } },
            ],
          },
        },
      ],
    },
    want: ['volume "v" (Projected): overlapping paths: "token" (ServiceAccountToken) with "token" (Secret "s")'],
  },
  {
    name: "a projection of nothing",
    spec: { volumes: [{ name: "v", projected: { sources: [{}] } }] },
    want: ['volume "v" (Projected) has no sources provided'],
  },
  {
    name: "fractions of bytes in a claim",
    spec: {
      volumes: [{ name: "v", ephemeral: { volumeClaimTemplate: { spec: { resources: { requests: { storage: "1500m" } } } } } }],
    },
    want: [
      'spec.volumes[0].ephemeral.volumeClaimTemplate.spec.resources.requests[storage]: fractional byte value "1500m" is invalid, must be an integer',
    ],
  },
  {
    name: "equal names of ports in two containers",
    spec: {
      containers: [
        { name: "a", ports: [{ name: "http", containerPort: 80 }] },
        { name: "b", ports: [{ name: "http", containerPort: 81 }] },
      ],
    },
    want: [
      'spec.containers[1].ports[0]: duplicate port name "http" with spec.containers[0].ports[0], services and probes that select ports by name will use spec.containers[0].ports[0]',
    ],
  },
  {
    name: "a host port on one address and on all",
    spec: {
      containers: [
        {
          name: "a",
          ports: [
            { containerPort: 80, hostPort: 8080, hostIP: "10.0.0.1", protocol: "TCP" },
            { containerPort: 80, hostPort: 8080, protocol: "TCP" },
          ],
        },
      ],
    },
    want: ["spec.containers[0].ports[1]: dangerously ambiguous port definition with spec.containers[0].ports[0]"],
  },
  {
    name: "affinity to pods that are not told",
    spec: {
      affinity: {
        podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: "z" }] },
        podAntiAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: { topologyKey: "z" } }],
        },
      },
    },
    want: [
      `spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector: ${NO_SELECTOR}`,
      `spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm.labelSelector: ${NO_SELECTOR}`,
    ],
  },
  {
    name: "addresses in unusual forms",
    spec: { dnsConfig: { nameservers: ["010.0.0.1", "1.1.1.1"] } },
    want: ['spec.dnsConfig.nameservers[0]: non-standard IP address "010.0.0.1" is invalid: use "10.0.0.1"'],
  },
])("warns of $name", ({ spec, want }) => {
  expect(warningsOf(spec)).toEqual(want);
});

test.each([
  ["100m", true],
  ["1", false],
  ["1Gi", false],
  ["10Ei", false],
  ["1E", false],
  ["99999999999999999999", true],
])("%s bytes are fractional: %s", (memory, fractional) => {
  expect(warningsOf({ containers: [{ name: "a", resources: { requests: { memory } } }] }).length).toBe(fractional ? 1 : 0);
});

test("only templates warn of AppArmor annotations themselves", () => {
  const annotations = { "container.apparmor.security.beta.kubernetes.io/a": "unconfined" };
  const spec: PodSpec = { containers: [{ name: "a" }] };
  expect(warningsOf(spec, { annotations })).toEqual([]);
  expect(podTemplateWarnings({ metadata: { annotations }, spec }, FieldPath.of("template"))).toEqual([
    'template.metadata.annotations[container.apparmor.security.beta.kubernetes.io/a]: deprecated since v1.30; use the "appArmorProfile" field instead',
  ]);
});

test("names that are no DNS labels are told", () => {
  expect(workloadNameWarnings("a-b")).toEqual([]);
  expect(workloadNameWarnings("a.b")).toEqual([
    "metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]",
  ]);
});
