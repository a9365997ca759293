import { mkdirSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Pod } from "#api/generated/core/v1.ts";
import { CONTAINERD_REASON, containerdVersions } from "../support/containerd.ts";
import { FaultNode } from "../support/fault-node/fault-node.ts";
import { accountOf, differences } from "../support/fault-node/host-account.ts";
import { BUSYBOX_IMAGE, CONTAINERD_SOCKET } from "../support/host-containerd.ts";
import { isBuilt } from "../support/program.ts";
import { saySkipped } from "../support/say-skipped.ts";
import { hasTestHosts, TEST_HOST_REASON } from "../support/test-host.ts";

const SOON = { timeout: 90_000, interval: 250 };
const isThere = hasTestHosts && isBuilt && containerdVersions.length > 0;
/** What upstream's kubelet says where nobody listens at the runtime's socket. */
const REFUSED = `rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial unix ${CONTAINERD_SOCKET}: connect: connection refused"`;

const isReady = (pod: Pod | undefined): boolean =>
  pod?.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
const isGone = (pod: Pod | undefined): boolean => pod === undefined;
const pod = (name: string, command: string, more: object = {}): { metadata: object; spec: object } => ({
  metadata: { name },
  spec: {
    terminationGracePeriodSeconds: 5,
    volumes: [{ name: "tally", hostPath: { path: "/var/tally" } }],
    containers: [
      {
        name: "app",
        image: BUSYBOX_IMAGE,
        command: ["sh", "-c", command],
        volumeMounts: [{ name: "tally", mountPath: "/tally" }],
        ...more,
      },
    ],
  },
});
const STAYS = "trap 'exit 0' TERM; sleep 3600 & wait";

saySkipped(isThere, `a runtime that is killed: ${TEST_HOST_REASON}; ${CONTAINERD_REASON}; dist/`);

describe.runIf(isThere)("a node whose runtime is killed", () => {
  let node: FaultNode;
  const [version = { name: "", bin: "" }] = containerdVersions.slice(-1);

  beforeAll(async () => {
    node = await FaultNode.start(version);
    mkdirSync(node.host.path("/var/tally"), { recursive: true });
    node.launch();
    await node.condition("Ready", "True");
  }, 120_000);
  afterAll(() => node?.[Symbol.asyncDispose](), 120_000);

  const told = (of: string, event: string) => vi.waitFor(async () => expect(await node.events(of)).toContain(event), SOON);
  /** The processes that containers run for a pod. */
  const processes = async (word: string): Promise<string> =>
    (await node.host.run(["bash", "-c", `pgrep -f '[s]leep ${word}' || true`])).trim();

  const sandboxes = async (): Promise<unknown[]> => (await node.runtime.listPodSandbox()).map(({ metadata }) => metadata?.name);

  test("leaves its containers running, says so, and goes on with all of them afterwards", async () => {
    await node.create(pod("first", STAYS));
    await node.until("first", isReady);
    await node.delete("first");
    await node.until("first", isGone);
    await vi.waitFor(async () => expect(await node.runtime.listPodSandbox()).toEqual([]), SOON);
    const before = await accountOf(node.host);

    const probe = { exec: { command: ["true"] }, periodSeconds: 1, timeoutSeconds: 30 };
    await node.create(pod("runs", "trap 'exit 0' TERM; sleep 4242 & wait", { readinessProbe: probe }));
    await node.create(pod("ends", STAYS));
    await node.create(pod("exits", "until test -e /tally/go; do sleep 0.2; done; rm /tally/go; exit 3"));
    const hook = { preStop: { exec: { command: ["sleep", "3"] } } };
    await node.create(pod("stopping", STAYS, { lifecycle: hook }));
    const names = ["runs", "ends", "exits", "stopping"];
    const pods = await Promise.all(names.map((name) => node.until(name, isReady)));
    const [runs, ends] = pods;
    const process = await processes("4242");
    expect(process).not.toBe("");

    await node.create(pod("starting", STAYS));
    await node.delete("stopping");
    // Not before it is noted: of a sandbox that it was about to note containerd forgets the network, which nobody can give back then.
    await vi.waitFor(async () => expect(await sandboxes()).toContain("starting"), { timeout: 90_000, interval: 10 });
    await node.containerd.program.stop("SIGKILL");
    writeFileSync(node.host.path("/var/tally/go"), "");
    await node.create(pod("begins", STAYS));
    await node.delete("ends");

    await told("begins", `FailedCreatePodSandBox Failed to create pod sandbox: ${REFUSED}`);
    const why = JSON.stringify(REFUSED);
    const kills = [
      `failed to "KillContainer" for "app" with KillContainerError: ${why}`,
      `failed to "KillPodSandbox" for "${ends?.metadata.uid}" with KillPodSandboxError: ${why}`,
    ];
    await told("ends", `FailedKillPod error killing pod: [${kills.join(", ")}]`);
    await told("runs", `Unhealthy Readiness probe errored and resulted in unknown state: ${REFUSED}`);
    await node.condition("Ready", "False");
    const ready = (await node.node()).status?.conditions?.find(({ type }) => type === "Ready");
    expect(ready).toMatchObject({ reason: "KubeletNotReady", message: "container runtime is down" });
    await told("faulty", "NodeNotReady Node faulty status is now: NodeNotReady");
    expect(await processes("4242")).toBe(process);
    const during = (await node.pods()).get("runs");
    expect(during?.status?.containerStatuses).toMatchObject([{ ready: true, restartCount: 0 }]);

    await node.containerd.launch();
    await node.condition("Ready", "True");
    const after = await Promise.all(["runs", "begins", "starting", "exits"].map((name) => node.until(name, isReady, 90_000)));
    expect(after[0]?.status?.containerStatuses).toEqual(runs?.status?.containerStatuses);
    expect(await processes("4242")).toBe(process);
    expect(after[3]?.status?.containerStatuses).toMatchObject([{ restartCount: 1 }]);
    // What a container ended with while nobody listened is not always known to containerd afterwards: then it says 255.
    expect([3, 255]).toContain(after[3]?.status?.containerStatuses?.[0]?.lastState?.terminated?.exitCode);
    for (const name of ["ends", "stopping"]) await node.until(name, isGone);

    for (const name of ["runs", "begins", "starting", "exits"]) await node.delete(name);
    await vi.waitFor(async () => expect((await node.pods()).size).toBe(0), SOON);
    await vi.waitFor(async () => expect(differences(before, await accountOf(node.host))).toEqual([]), SOON);
  }, 300_000);
});
