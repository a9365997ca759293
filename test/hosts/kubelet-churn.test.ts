import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Container, Pod } from "#api/generated/core/v1.ts";
import { type Random, seededRandom } from "#base/random.ts";
import { CONTAINERD_REASON, containerdVersions } from "../support/containerd.ts";
import { FaultNode, NAMESPACE } from "../support/fault-node/fault-node.ts";
import { accountOf, differences, openFiles } from "../support/fault-node/host-account.ts";
import { BUSYBOX_IMAGE } from "../support/host-containerd.ts";
import { isBuilt } from "../support/program.ts";
import { saySkipped } from "../support/say-skipped.ts";
import { hasTestHosts, TEST_HOST_REASON } from "../support/test-host.ts";

/** How long pods come and go: half a minute, or as many minutes as LOOP_MINUTES says. */
const LOOP_MS: number = process.env.LOOP_MINUTES === undefined ? 30_000 : Number(process.env.LOOP_MINUTES) * 60_000;
const SEED = Number(process.env.FAULT_SEED ?? 1);
/** Pods that are about at once. */
const SLOTS = 50;
/** How long until all that is to go has gone. */
const SETTLED = { timeout: 240_000, interval: 1000 };
/** How long one pod may take from its beginning to its end, where fifty share a slow machine, in milliseconds. */
const LIFE_MS = 400_000;
const MEMORY_GROWTH_MAX: number = 12 * 1024 * 1024;
/** Counts of what is held breathe with what is under way. */
const BREATH = 60;

const isThere = hasTestHosts && isBuilt && containerdVersions.length > 0;
const STAYS = "trap 'exit 0' TERM; sleep 3600 & wait";

const container = (command: string, more: Partial<Container> = {}): Container => ({
  name: "app",
  image: BUSYBOX_IMAGE,
  command: ["sh", "-c", command],
  ...more,
});
const exec = (command: string): object => ({ exec: { command: ["sh", "-c", command] } });
const isReady = ({ status }: Pod): boolean =>
  status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True") ?? false;
const waits =
  (reason: string) =>
  (pod: Pod): boolean =>
    pod.status?.containerStatuses?.some(({ state }) => state?.waiting?.reason === reason) ?? false;
const phase =
  (name: string) =>
  (pod: Pod): boolean =>
    pod.status?.phase === name;

interface Kind {
  readonly spec: (slot: number) => object;
  /** When it is deleted: at once when absent. */
  readonly until?: (pod: Pod) => boolean;
  readonly graceSeconds?: number;
}

const VOLUMES = [
  { name: "memory", emptyDir: { medium: "Memory", sizeLimit: "1Mi" } },
  { name: "disk", emptyDir: {} },
  { name: "config", configMap: { name: "config" } },
  { name: "secret", secret: { secretName: "secret" } },
  {
    name: "projected",
    projected: {
      sources: [
        { serviceAccountToken: { path: "token", expirationSeconds: 3600 } },
        { configMap: { name: "config" } },
        { downwardAPI: { items: [{ path: "name", fieldRef: { fieldPath: "metadata.name" } }] } },
      ],
    },
  },
];
const MOUNTS = [
  ...VOLUMES.map(({ name }) => ({ name, mountPath: `/${name}` })),
  { name: "disk", mountPath: "/part", subPath: "a/part" },
  { name: "config", mountPath: "/etc/key", subPath: "key" },
];
const CHECK = "set -e; for file in /config/key /secret/key /projected/token /projected/name /etc/key; do test -s $file; done";

/** What lives in different ways. */
const KINDS: Readonly<Record<string, Kind>> = {
  everything: {
    spec: () => ({
      volumes: VOLUMES,
      initContainers: [
        { ...container(`${CHECK}; touch /part/made`, { volumeMounts: MOUNTS }), name: "first" },
        { ...container(STAYS, { restartPolicy: "Always" }), name: "beside" },
      ],
      containers: [
        container(`${CHECK}; test -e /disk/a/part/made; httpd -p 8080; ${STAYS}`, {
          volumeMounts: MOUNTS,
          startupProbe: { ...exec("true"), periodSeconds: 1 },
          readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
          livenessProbe: { ...exec("test -e /part/made"), periodSeconds: 1, failureThreshold: 10, timeoutSeconds: 10 },
          lifecycle: { postStart: exec("true"), preStop: exec("rm /part/made") },
        }),
      ],
    }),
    until: isReady,
  },
  hostPort: {
    spec: (slot) => ({
      containers: [
        container(`httpd -p 8080; ${STAYS}`, { ports: [{ containerPort: 8080, hostPort: 20_000 + slot, protocol: "TCP" }] }),
      ],
    }),
    until: isReady,
  },
  hostNetwork: { spec: () => ({ hostNetwork: true, containers: [container(STAYS)] }), until: isReady, graceSeconds: 0 },
  crashes: { spec: () => ({ containers: [container("exit 3")] }), until: waits("CrashLoopBackOff") },
  completes: { spec: () => ({ restartPolicy: "Never", containers: [container("true")] }), until: phase("Succeeded") },
  initFails: {
    spec: () => ({
      restartPolicy: "Never",
      initContainers: [{ ...container("exit 1"), name: "first" }],
      containers: [container(STAYS)],
    }),
    until: phase("Failed"),
  },
  isNotWell: {
    spec: () => ({
      containers: [container(STAYS, { livenessProbe: { ...exec("false"), periodSeconds: 1, failureThreshold: 1 } })],
    }),
    until: ({ status }) => (status?.containerStatuses?.[0]?.restartCount ?? 0) > 0,
  },
  hookFails: {
    spec: () => ({ containers: [container(STAYS, { lifecycle: { postStart: exec("false") } })] }),
    until: ({ status }) => (status?.containerStatuses?.[0]?.restartCount ?? 0) > 0,
  },
  endsSlowly: {
    spec: () => ({ containers: [container("sleep 3600", { lifecycle: { preStop: exec("sleep 3600") } })] }),
    until: isReady,
  },
  noImage: {
    spec: () => ({ containers: [{ name: "app", image: "127.0.0.1:9/no/such:1" }] }),
    until: waits("ImagePullBackOff"),
  },
  noVolume: {
    spec: () => ({
      volumes: [{ name: "gone", configMap: { name: "gone" } }, ...VOLUMES.slice(0, 2)],
      containers: [
        container(STAYS, { volumeMounts: ["gone", "memory", "disk"].map((name) => ({ name, mountPath: `/${name}` })) }),
      ],
    }),
    until: phase("Pending"),
  },
  deletedAtOnce: { spec: () => ({ volumes: VOLUMES, containers: [container(STAYS, { volumeMounts: MOUNTS })] }) },
  forcedAtOnce: {
    spec: () => ({ volumes: VOLUMES, containers: [container(STAYS, { volumeMounts: MOUNTS })] }),
    graceSeconds: 0,
  },
};

saySkipped(isThere, `pods that come and go: ${TEST_HOST_REASON}; ${CONTAINERD_REASON}; dist/`);

describe.runIf(isThere)("a node whose pods come and go", () => {
  let node: FaultNode;
  const [version = { name: "", bin: "" }] = containerdVersions.slice(-1);

  beforeAll(async () => {
    node = await FaultNode.start(version);
    for (const [resource, kind] of [
      ["configmaps", "ConfigMap"],
      ["secrets", "Secret"],
    ] as const) {
      const object = { apiVersion: "v1", kind, metadata: { name: kind === "Secret" ? "secret" : "config" } };
      const data = kind === "Secret" ? { stringData: { key: "value" } } : { data: { key: "value" } };
      await node.client.create({ group: "", version: "v1", resource }, NAMESPACE, { ...object, ...data } as never);
    }
    node.launch();
    await node.condition("Ready", "True");
  }, 120_000);
  afterAll(() => node?.[Symbol.asyncDispose](), 120_000);

  /** The pods as they were seen last: one look for all who wait. */
  let seen: ReadonlyMap<string, Pod> = new Map();
  let most = 0;
  const lived = new Map<string, number>();

  const live = async (kindName: string, name: string, slot: number, random: Random): Promise<void> => {
    const kind = KINDS[kindName];
    if (kind === undefined) throw new Error(kindName);
    const spec = { terminationGracePeriodSeconds: 1 + Math.floor(random.float() * 2), ...kind.spec(slot) };
    await node.create({ metadata: { name }, spec });
    const deadline = performance.now() + LIFE_MS;
    for (;;) {
      const pod = seen.get(name);
      if (kind.until === undefined || (pod !== undefined && kind.until(pod))) break;
      if (performance.now() > deadline)
        throw new Error(
          `${name} does not become what it should: ${JSON.stringify(pod?.status)}\n${node.kubelet.output.slice(-3000)}`,
        );
      await pause(200);
    }
    await pause(Math.floor(random.float() * 500));
    await node.delete(name, kind.graceSeconds);
    await pause(300);
    while (seen.has(name)) {
      if (performance.now() > deadline)
        throw new Error(`${name} does not go: ${JSON.stringify(seen.get(name))}\n${node.kubelet.output.slice(-3000)}`);
      await pause(200);
    }
    lived.set(kindName, (lived.get(kindName) ?? 0) + 1);
  };

  /** Pods come and go for so long, some kinds or all. */
  const churn = async (forMs: number, slots: number): Promise<void> => {
    const random = seededRandom(SEED);
    const end = performance.now() + forMs;
    const watching = new AbortController();
    const watch = (async () => {
      while (!watching.signal.aborted) {
        seen = await node.pods();
        most = Math.max(most, seen.size);
        await pause(250);
      }
    })();
    const names = Object.keys(KINDS);
    const lives = Array.from({ length: slots }, async (_, slot) => {
      for (let turn = 0; turn === 0 || performance.now() < end; turn++) {
        const kind = names[(slot + turn) % names.length] ?? "";
        await live(kind, `${kind.toLowerCase()}-${slot}-${turn}`, slot, random);
      }
    });
    try {
      await Promise.all(lives);
    } finally {
      watching.abort();
      await watch;
    }
  };

  /** All there is, once nothing is under way. */
  const settled = async (): Promise<void> => {
    await vi.waitFor(async () => expect(await node.runtime.listPodSandbox()).toEqual([]), SETTLED);
    await vi.waitFor(async () => expect(await processesOfPods()).toBe(""), SETTLED);
  };
  const processesOfPods = async (): Promise<string> =>
    (await node.host.run(["bash", "-c", "ps -e -o pid=,ppid=,stat=,args= | grep [c]ontainerd-shim || true"])).trim();

  test(
    `leaves nothing behind of them (${LOOP_MS / 1000} s)`,
    async () => {
      // One of each first: what a machine makes once, such as chains of rules, stays.
      await churn(0, Object.keys(KINDS).length);
      await settled();
      const before = await accountOf(node.host);
      const filesBefore = openFiles(node.kubelet.pid);
      const heldBefore = await node.look();
      lived.clear();
      most = 0;

      await churn(LOOP_MS, SLOTS);
      await settled();
      await vi.waitFor(async () => expect(differences(before, await accountOf(node.host))).toEqual([]), SETTLED);
      await vi.waitFor(() => expect(openFiles(node.kubelet.pid)).toEqual(filesBefore), SETTLED);
      const held = await node.look();
      const total = [...lived.values()].reduce((sum, one) => sum + one, 0);
      if (process.env.LOOP_MINUTES !== undefined)
        console.log(JSON.stringify({ total, most, lived: Object.fromEntries(lived), heldBefore, held }));
      expect(most).toBeGreaterThanOrEqual(SLOTS - 5);
      expect(total).toBeGreaterThanOrEqual(SLOTS);
      for (const kind of ["timers", "sockets", "promises", "signals", "maps"] as const)
        expect(held[kind], kind).toBeLessThanOrEqual(heldBefore[kind] + BREATH);
      expect(held.heapUsed - heldBefore.heapUsed).toBeLessThan(MEMORY_GROWTH_MAX);
      expect(node.kubelet.isRunning).toBe(true);
    },
    LOOP_MS + 900_000,
  );
});
