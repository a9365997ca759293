import { expect, test } from "vitest";
import type { Pod, PodSpec, PodStatus } from "#api/generated/core/v1.ts";
import { validatePodStatusUpdate } from "./status.ts";

const spec = (change: Partial<PodSpec> = {}): PodSpec => ({
  containers: [{ name: "c", image: "i" }],
  restartPolicy: "Always",
  ...change,
});
const pod = (status: PodStatus, change?: Partial<PodSpec>): Pod => ({ metadata: { name: "p" }, spec: spec(change), status });
const told = (now: PodStatus, before: PodStatus = {}, change?: Partial<PodSpec>): string[] =>
  validatePodStatusUpdate(pod(now, change), pod(before, change)).map(({ field, message }) => `${field}: ${message}`);
const ended = (name: string, exitCode: number): PodStatus =>
  ({ containerStatuses: [{ name, state: { terminated: { exitCode } } }] }) as unknown as PodStatus;
const running = (name: string): PodStatus => ({ containerStatuses: [{ name, state: { running: {} } }] }) as unknown as PodStatus;
const STATE = "status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state";
const rule = (operator: string, action = "Restart"): Partial<PodSpec> => ({
  restartPolicy: "Never",
  containers: [
    { name: "c", restartPolicy: "Never", restartPolicyRules: [{ action, exitCodes: { operator, values: [7] } }] },
    { name: "d" },
  ],
});

test.each<[string, string, number, Partial<PodSpec>, string[]]>([
  ["under Always", "c", 0, {}, []],
  ["that the spec does not have", "x", 0, {}, [STATE]],
  ["under Never", "c", 1, { restartPolicy: "Never" }, [STATE]],
  ["under OnFailure", "c", 1, { restartPolicy: "OnFailure" }, []],
  ["under OnFailure, after success", "c", 0, { restartPolicy: "OnFailure" }, [STATE]],
  ["by its own policy", "c", 0, { restartPolicy: "Never", containers: [{ name: "c", restartPolicy: "Always" }] }, []],
  ["by a rule", "c", 7, rule("In"), []],
  ["that its rule does not name", "c", 8, rule("In"), [STATE]],
  ["by a rule for other codes", "c", 8, rule("NotIn"), []],
  ["by the rule of another", "d", 0, rule("In", "RestartAllContainers"), []],
])("a container %s runs again or not", (_, name, code, change, want) => {
  expect(told(running(name), ended(name, code), change)).toEqual(want);
});

const mapping = { containerName: "c", resourceName: "example.com/a", requestName: "r" };

test.each<[string, PodStatus, string[]]>([
  [
    "conditions of no name and no generation",
    { conditions: [{ type: "a b", status: "True", observedGeneration: -1 }] },
    ["status.conditions[0].observedGeneration", "status.conditions[0].Type"],
  ],
  ["a generation below zero", { observedGeneration: -1 }, ["status.observedGeneration"]],
  ["leading zeros", { podIPs: [{ ip: "010.0.0.1" }] }, ["status.podIPs[0]"]],
  ["two addresses of one family", { podIPs: [{ ip: "10.0.0.1" }, { ip: "10.0.0.1" }] }, ["status.podIPs"]],
  [
    "an address that is none",
    { podIPs: [{ ip: "10.0.0.1" }, { ip: "x" }] },
    ["status.podIPs[1]", "status.podIPs", "status.podIPs"],
  ],
  [
    "users out of range",
    { containerStatuses: [{ name: "c", user: { linux: { uid: -1, gid: 0 } } }] as never },
    ["status.containerStatuses[0].user.linux.uid"],
  ],
  [
    "an empty message about a device",
    {
      containerStatuses: [
        {
          name: "x",
          allocatedResourcesStatus: [{ name: "a", resources: [{ resourceID: "1", health: "Healthy", message: "" }] }],
        },
      ] as never,
    },
    ["status.containerStatuses[0].allocatedResourcesStatus[0].resources[0].message"],
  ],
  [
    "a claim for nothing",
    { extendedResourceClaimStatus: { requestMappings: [], resourceClaimName: "" } },
    ["status.extendedResourceClaimStatus.requestMappings", "status.extendedResourceClaimStatus.resourceClaimName"],
  ],
  [
    "a claim for what is not asked for, and for nobody",
    { extendedResourceClaimStatus: { requestMappings: [mapping, { ...mapping, containerName: "x" }], resourceClaimName: "a" } },
    [
      "status.extendedResourceClaimStatus.requestMappings[0].resourceName",
      "status.extendedResourceClaimStatus.requestMappings[1].containerName",
    ],
  ],
])("a status with %s", (_, status, want) => {
  expect(told(status).map((line) => line.split(":", 1)[0])).toEqual(want);
});

test("a bound pod is nominated for nothing", () => {
  expect(told({ nominatedNodeName: "a" }, {}, { nodeName: "b" })).toEqual([
    "status.nominatedNodeName: Forbidden: may not be set on pods that are already bound to a node",
  ]);
});
