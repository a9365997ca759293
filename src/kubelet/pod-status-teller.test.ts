import { describe, expect, test } from "vitest";
import type { Pod, PodCondition, PodStatus } from "#api/generated/core/v1.ts";
import type { ContainerStatus } from "#cri/container.ts";
import { PodStatusTeller, type ToldSituation } from "./pod-status-teller.ts";

const condition = (type: string, status: string, reason?: string): PodCondition =>
  ({ type, status, ...(reason === undefined ? {} : { reason }) }) as PodCondition;
const podWith = (...conditions: readonly PodCondition[]): Pod =>
  ({ metadata: { uid: "u" }, spec: { containers: [{ name: "app" }] }, status: { conditions } }) as unknown as Pod;

const running = {
  id: "c",
  metadata: { name: "app", attempt: 0 },
  state: "CONTAINER_RUNNING",
  startedAtMs: 0,
} as unknown as ContainerStatus;

const situation: ToldSituation = {
  pod: podWith(),
  observed: { sandbox: undefined, containers: [running] },
  nowMs: 0,
  elapsedMs: 0,
  backOffMs: () => 0,
  ending: false,
  problems: new Map(),
  hostIps: [],
  runtimeName: "",
  startTimeMs: 0,
  failure: undefined,
};

test.each([
  ["as it was told", [condition("Ready", "True"), condition("ContainersReady", "True")], 1],
  ["as it was before", [condition("Ready", "False", "ContainersNotReady"), condition("ContainersReady", "False")], 1],
  ["waiting for somebody", [condition("Ready", "False", "ReadinessGatesNotReady"), condition("ContainersReady", "True")], 1],
  ["not ready, by somebody else", [condition("Ready", "False"), condition("ContainersReady", "True")], 2],
])("a pod that is ready and is seen %s is told so %s", (_name, shown, times) => {
  const told: PodStatus[] = [];
  const teller = new PodStatusTeller({ write: (_pod, status) => void told.push(status) });
  teller.tell(situation, false);
  teller.seen(podWith(...shown));
  teller.tell(situation, false);
  expect(told).toHaveLength(times);
  expect(told[0]?.conditions?.find(({ type }) => type === "Ready")?.status).toBe("True");
});

describe("what the API shows after it has taken a status", () => {
  interface Told {
    readonly status: PodStatus;
    readonly onWritten: ((written: Pod) => void) | undefined;
  }
  const shown = (resourceVersion: number, status: PodStatus): Pod =>
    ({ ...podWith(), metadata: { uid: "u", resourceVersion: `${resourceVersion}` }, status }) as Pod;
  const older = { phase: "Pending", conditions: [condition("Ready", "False", "ContainersNotReady")] } as PodStatus;
  const start = (): { readonly told: Told[]; readonly teller: PodStatusTeller; readonly wakes: () => number } => {
    const told: Told[] = [];
    let wakes = 0;
    const writer = {
      write: (_pod: Pod, status: PodStatus, _final: boolean, onWritten?: (written: Pod) => void) =>
        void told.push({ status, onWritten }),
    };
    const teller = new PodStatusTeller(writer, () => void wakes++);
    teller.tell(situation, false);
    return { told, teller, wakes: () => wakes };
  };

  test.each<[string, (status: PodStatus) => Pod, number]>([
    ["what it has taken", (status) => shown(8, status), 1],
    ["what it showed before", () => shown(6, older), 1],
    ["an older one, that arrived late", () => shown(8, older), 2],
    ["a container that is not ready any more", (status) => shown(8, { ...status, containerStatuses: [] }), 2],
    ["what others say", (status) => shown(8, { ...status, qosClass: "Burstable" } as PodStatus), 1],
  ])("%s", (_name, show, times) => {
    const { told, teller, wakes } = start();
    const { status } = told[0] as Told;
    told[0]?.onWritten?.(shown(7, status));
    teller.seen(show(status));
    teller.tell(situation, false);
    expect(told).toHaveLength(times);
    expect(told.at(-1)?.status).toEqual(status);
    expect(wakes()).toBe(0);
  });

  test("an older one, before the answer to the newer one has come", () => {
    const { told, teller, wakes } = start();
    teller.seen(shown(8, older));
    teller.tell(situation, false);
    expect(told).toHaveLength(1);
    told[0]?.onWritten?.(shown(7, (told[0] as Told).status));
    expect(wakes()).toBe(1);
    teller.tell(situation, false);
    expect(told).toHaveLength(2);
  });
});
