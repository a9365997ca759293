import { describe, expect, test } from "vitest";
import type { AdmissionAttributes, AdmissionModules } from "#apiserver/admission/admission.ts";
import { limitRanger } from "./limit-ranger.ts";

const ANNOTATION = "kubernetes.io/limit-ranger";

interface Outcome {
  readonly refusal?: string;
  readonly note?: string | undefined;
  readonly resources?: unknown;
}

function judge(limits: readonly object[], object: Record<string, unknown>, request: Partial<AdmissionAttributes> = {}): Outcome {
  const listCached = () => [{ metadata: { name: "lr" }, spec: { limits } }];
  const plugin = limitRanger({ stores: { of: () => ({ listCached }) } } as unknown as AdmissionModules);
  const admitted = structuredClone(object) as {
    metadata: { annotations?: Record<string, string> };
    spec: { containers?: { resources?: unknown }[] };
  };
  const attributes = {
    operation: "CREATE",
    group: "",
    resource: "pods",
    subresource: "",
    namespace: "ns",
    name: "p",
    object: admitted,
    ...request,
  };
  try {
    void plugin.mutate?.(attributes as unknown as AdmissionAttributes, undefined as never);
    void plugin.validate?.(attributes as unknown as AdmissionAttributes);
  } catch (error) {
    return { refusal: (error as Error).message.replace(/^\w+ "p" is forbidden: /, "") };
  }
  return {
    note: admitted.metadata.annotations?.[ANNOTATION],
    resources: admitted.spec.containers?.map(({ resources }) => resources),
  };
}

const pod = (resources: object, more: object = {}): Record<string, unknown> => ({
  metadata: { name: "p" },
  spec: { containers: [{ name: "c", resources }], ...more },
});
const both = (amounts: object): object => ({ requests: amounts, limits: amounts });
const item = (of: object, type = "Container"): object => ({ type, ...of });

describe("amounts that are missing", () => {
  test("come from the range, and are noted", () => {
    const limits = [item({ default: { cpu: "1", memory: "1Gi" }, defaultRequest: { memory: "1Mi" } })];
    expect(judge(limits, pod({ requests: { cpu: "500m" } }))).toEqual({
      note: "LimitRanger plugin set: memory request for container c; cpu, memory limit for container c",
      resources: [{ requests: { cpu: "500m", memory: "1Mi" }, limits: { cpu: "1", memory: "1Gi" } }],
    });
  });

  test("are noted for init containers after the others", () => {
    const limits = [item({ default: { cpu: "1" } })];
    const { note } = judge(limits, pod({}, { initContainers: [{ name: "i" }] }));
    expect(note).toBe("LimitRanger plugin set: cpu limit for container c; cpu limit for init container i");
  });

  test("are not touched where all is said", () => {
    expect(judge([item({ default: { cpu: "1" } })], pod(both({ cpu: "2" }))).note).toBeUndefined();
  });
});

describe("a range is broken", () => {
  test.each([
    {
      name: "too little",
      limit: item({ min: { cpu: "200m" } }),
      pod: pod(both({ cpu: "100m" })),
      want: "minimum cpu usage per Container is 200m, but request is 100m",
    },
    {
      name: "nothing asked",
      limit: item({ min: { cpu: "200m" } }),
      pod: pod({}),
      want: "minimum cpu usage per Container is 200m.  No request is specified",
    },
    {
      name: "limited below",
      limit: item({ min: { cpu: "2" } }),
      pod: pod({ requests: { cpu: "2" }, limits: { cpu: "1" } }),
      want: "minimum cpu usage per Container is 2, but limit is 1",
    },
    {
      name: "too much",
      limit: item({ max: { memory: "1Gi" } }),
      pod: pod(both({ memory: "2Gi" })),
      want: "maximum memory usage per Container is 1Gi, but limit is 2Gi",
    },
    {
      name: "not limited",
      limit: item({ max: { cpu: "1" } }),
      pod: pod({ requests: { cpu: "1" } }),
      want: "maximum cpu usage per Container is 1.  No limit is specified",
    },
    {
      name: "asked beyond",
      limit: item({ max: { cpu: "1" } }),
      pod: pod({ requests: { cpu: "2" }, limits: { cpu: "1" } }),
      want: "maximum cpu usage per Container is 1, but request is 2",
    },
    {
      name: "the ratio",
      limit: item({ maxLimitRequestRatio: { memory: "1500m" } }),
      pod: pod({ requests: { memory: "100Mi" }, limits: { memory: "151Mi" } }),
      want: "memory max limit to request ratio per Container is 1500m, but provided ratio is 1.510000",
    },
    {
      name: "the ratio of nothing",
      limit: item({ maxLimitRequestRatio: { cpu: "2" } }),
      pod: pod({ requests: { cpu: "0" } }),
      want: "cpu max limit to request ratio per Container is 2, but no request is specified or request is 0",
    },
    {
      name: "the ratio to no limit",
      limit: item({ maxLimitRequestRatio: { cpu: "2" } }),
      pod: pod({ requests: { cpu: "1" } }),
      want: "cpu max limit to request ratio per Container is 2, but no limit is specified or limit is 0",
    },
    {
      name: "beyond 64 bits of thousandths",
      limit: item({ max: { memory: "9Pi" } }),
      pod: pod(both({ memory: "10Pi" })),
      want: "maximum memory usage per Container is 9Pi, but limit is 10Pi",
    },
    {
      name: "several",
      limit: item({ max: { memory: "1", cpu: "1" } }),
      pod: pod(both({ cpu: "2", memory: "2" })),
      want: "[maximum cpu usage per Container is 1, but limit is 2, maximum memory usage per Container is 1, but limit is 2]",
    },
    {
      name: "the same twice",
      limit: item({ max: { cpu: "1" } }),
      pod: pod(both({ cpu: "2" }), { initContainers: [{ name: "i", resources: both({ cpu: "2" }) }] }),
      want: "maximum cpu usage per Container is 1, but limit is 2",
    },
    {
      name: "by all containers",
      limit: item({ max: { cpu: "1" } }, "Pod"),
      pod: {
        metadata: {},
        spec: {
          containers: [
            { name: "a", resources: both({ cpu: "600m" }) },
            { name: "b", resources: both({ cpu: "600m" }) },
          ],
        },
      },
      want: "maximum cpu usage per Pod is 1, but limit is 1200m",
    },
    {
      name: "by initialization",
      limit: item({ max: { cpu: "1" } }, "Pod"),
      pod: pod(both({ cpu: "1" }), { initContainers: [{ name: "i", resources: both({ cpu: "2" }) }] }),
      want: "maximum cpu usage per Pod is 1, but limit is 2",
    },
    {
      name: "with a sidecar",
      limit: item({ max: { cpu: "1" } }, "Pod"),
      pod: pod(both({ cpu: "1" }), { initContainers: [{ name: "s", restartPolicy: "Always", resources: both({ cpu: "1" }) }] }),
      want: "maximum cpu usage per Pod is 1, but limit is 2",
    },
    {
      name: "by the pod as a whole",
      limit: item({ max: { cpu: "1" } }, "Pod"),
      pod: pod(both({ cpu: "1" }), { resources: both({ cpu: "3" }) }),
      want: "maximum cpu usage per Pod is 1, but limit is 3",
    },
  ])("$name", ({ limit, pod, want }) => expect(judge([limit], pod).refusal).toBe(want));
});

describe("claims", () => {
  const range = [item({ min: { storage: "1Gi" }, max: { storage: "5Gi" } }, "PersistentVolumeClaim")];
  const claim = (resources: object): Record<string, unknown> => ({ metadata: {}, spec: { resources } });
  test.each([
    {
      of: { requests: { storage: "500Mi" } },
      want: "minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 500Mi",
    },
    {
      of: { requests: { storage: "10Gi" } },
      want: "maximum storage usage per PersistentVolumeClaim is 5Gi, but request is 10Gi",
    },
    {
      of: {},
      want: "[minimum storage usage per PersistentVolumeClaim is 1Gi.  No request is specified, maximum storage usage per PersistentVolumeClaim is 5Gi.  No request is specified]",
    },
    { of: { requests: { storage: "2Gi" }, limits: { storage: "9Gi" } }, want: undefined },
  ])("$of", ({ of, want }) => expect(judge(range, claim(of), { resource: "persistentvolumeclaims" }).refusal).toBe(want));
});

describe("which requests count", () => {
  const range = [item({ max: { cpu: "1" } })];
  const big = pod(both({ cpu: "2" }));
  test.each<{ name: string; request: Partial<AdmissionAttributes>; refused: boolean }>([
    { name: "a new pod", request: {}, refused: true },
    { name: "a changed pod", request: { operation: "UPDATE" }, refused: false },
    { name: "a resized pod", request: { operation: "UPDATE", subresource: "resize" }, refused: true },
    { name: "a pod's status", request: { operation: "UPDATE", subresource: "status" }, refused: false },
    { name: "another kind", request: { group: "apps", resource: "deployments" }, refused: false },
    {
      name: "a claim that is being deleted",
      request: {
        operation: "UPDATE",
        subresource: "resize",
        oldObject: { metadata: { deletionTimestamp: "2026-01-01T00:00:00Z" } },
      },
      refused: false,
    },
  ])("$name", ({ request, refused }) => expect(judge(range, big, request).refusal !== undefined).toBe(refused));
});
