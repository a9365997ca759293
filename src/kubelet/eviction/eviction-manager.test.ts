import { expect, test } from "vitest";
import type { Pod } from "#api/generated/core/v1.ts";
import { newQuantity } from "#apimachinery/resource/quantity.ts";
import { ManualClock } from "#base/manual-clock.ts";
import type { Logger } from "#component-base/logging.ts";
import { EvictionManager } from "./eviction-manager.ts";
import type { PodUse } from "./pod-usage.ts";
import { PressureState } from "./pressure-state.ts";
import { rankForEviction } from "./ranking.ts";
import type { Observation, Observations, Signal } from "./signals.ts";
import { storageProblem } from "./storage-limits.ts";
import { parseThresholds } from "./thresholds.ts";

const MI = 1024 ** 2;
const GI = 1024 ** 3;
const silent: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {}, child: () => silent };
const settings = { enforceNodeAllocatable: [] as string[] };

function seen(bytes: Partial<Record<Signal, number>>, capacity = 10 * GI): Observations {
  const of = (amount: number): Observation => ({
    available: newQuantity(amount, 0, "BinarySI"),
    capacity: newQuantity(capacity, 0, "BinarySI"),
  });
  return new Map(Object.entries(bytes).map(([signal, amount]) => [signal as Signal, of(amount)]));
}

interface Wanted {
  readonly priority?: number;
  readonly memory?: string;
  readonly more?: object;
}

function podOf(name: string, { priority = 0, memory, more = {} }: Wanted = {}): Pod {
  const resources = memory === undefined ? {} : { requests: { memory } };
  const spec = { priority, containers: [{ name: "c", resources }], ...more };
  return { metadata: { name, namespace: "n", uid: name }, spec } as unknown as Pod;
}

function use(memoryBytes: number, disk: { rootfs?: number; logs?: number; volume?: number } = {}, name = "v"): PodUse {
  const of = (bytes = 0): { bytes: number; inodes: number } => ({ bytes, inodes: 1 });
  return {
    memoryBytes,
    processes: 1,
    containers: [{ name: "c", memoryBytes, rootfs: of(disk.rootfs), logs: of(disk.logs) }],
    volumes: [{ name, isLocalEphemeral: true, ...of(disk.volume) }],
  };
}

test("thresholds are read: amounts, shares, grace periods, what pods may have together", () => {
  expect(
    parseThresholds({
      evictionHard: { "memory.available": "100Mi", "nodefs.available": "10%", "imagefs.available": "0%" },
      evictionSoft: { "memory.available": "1Gi" },
      evictionSoftGracePeriod: { "memory.available": "1m30s" },
      evictionMinimumReclaim: { "nodefs.available": "1Gi" },
      enforceNodeAllocatable: ["pods"],
    }).map(({ signal, graceMs, minReclaim }) => [signal, graceMs, minReclaim !== undefined]),
  ).toEqual([
    ["memory.available", 0, false],
    ["nodefs.available", 0, true],
    ["memory.available", 90_000, false],
    ["allocatableMemory.available", 0, false],
  ]);
});

test.each([
  [{ evictionHard: { "x.available": "1Gi" } }, "unsupported eviction signal x.available"],
  [{ evictionHard: { "memory.available": "0" } }, "eviction threshold memory.available must be positive: 0"],
  [
    { evictionSoft: { "memory.available": "1Gi" } },
    "grace period must be specified for the soft eviction threshold memory.available",
  ],
])("%j is refused", (more, message) => expect(() => parseThresholds({ ...settings, ...more })).toThrow(message));

test("a hard threshold counts at once, a soft one when it has lasted; the condition goes a while after its cause", () => {
  const thresholds = parseThresholds({
    ...settings,
    evictionHard: { "nodefs.available": "10%" },
    evictionSoft: { "memory.available": "1Gi" },
    evictionSoftGracePeriod: { "memory.available": "1m" },
  });
  const state = new PressureState(thresholds, 300_000);
  const signals = (observations: Observations, ms: number): readonly string[] =>
    state.observe(observations, ms).map(({ signal }) => signal);
  expect(signals(seen({ "memory.available": GI / 2, "nodefs.available": 2 * GI }), 1000)).toEqual([]);
  expect(state.conditions).toEqual(["MemoryPressure"]);
  expect(signals(seen({ "memory.available": GI / 2, "nodefs.available": GI / 2 }), 61_000)).toEqual([
    "memory.available",
    "nodefs.available",
  ]);
  expect(signals(seen({ "memory.available": 2 * GI, "nodefs.available": 2 * GI }), 62_000)).toEqual([]);
  expect(state.conditions).toEqual(["MemoryPressure", "DiskPressure"]);
  signals(seen({ "memory.available": 2 * GI, "nodefs.available": 2 * GI }), 361_000);
  expect(state.conditions).toEqual([]);
});

test("once met, a threshold stays until enough is reclaimed", () => {
  const evictionHard = { "nodefs.available": "1Gi" };
  const state = new PressureState(
    parseThresholds({ ...settings, evictionHard, evictionMinimumReclaim: { "nodefs.available": "1Gi" } }),
    0,
  );
  expect(state.observe(seen({ "nodefs.available": GI / 2 }), 1)).toHaveLength(1);
  expect(state.observe(seen({ "nodefs.available": 1.5 * GI }), 2)).toHaveLength(1);
  expect(state.observe(seen({ "nodefs.available": 2 * GI }), 3)).toHaveLength(0);
});

test("who uses more than it asked for goes first, then who is of lower priority, then who uses more", () => {
  const uses = new Map([
    ["modest", use(GI)],
    ["greedy", use(3 * GI)],
    ["important", use(9 * GI)],
    ["greedier", use(4 * GI)],
  ]);
  const pods = [
    podOf("modest", { memory: "2Gi" }),
    podOf("greedy", { memory: "1Gi" }),
    podOf("important", { priority: 10 }),
    podOf("greedier", { memory: "1Gi" }),
    podOf("unknown"),
  ];
  const ranked = rankForEviction(pods, "memory.available", ({ metadata }) => uses.get(metadata.name ?? ""), false);
  expect(ranked.map(({ metadata }) => metadata.name)).toEqual(["unknown", "greedier", "greedy", "important", "modest"]);
});

test.each<[string, Pod, PodUse, string | undefined, string | undefined]>([
  [
    "an emptyDir",
    podOf("p", { more: { volumes: [{ name: "v", emptyDir: { sizeLimit: "1Mi" } }] } }),
    use(0, { volume: 2 * MI }),
    'Usage of EmptyDir volume "v" exceeds the limit "1Mi". ',
    "emptydirfs.limit",
  ],
  [
    "all together",
    podOf("p", { more: { containers: [{ name: "c", resources: { limits: { "ephemeral-storage": "3Mi" } } }] } }),
    use(0, { rootfs: 2 * MI, volume: 2 * MI }),
    "Pod ephemeral local storage usage exceeds the total limit of containers 3Mi. ",
    "ephemeralpodfs.limit",
  ],
  [
    "a container",
    podOf("p", {
      more: {
        containers: [
          { name: "c", resources: { limits: { "ephemeral-storage": "1Mi" } } },
          { name: "d", resources: { limits: { "ephemeral-storage": "9Mi" } } },
        ],
      },
    }),
    use(0, { rootfs: MI, logs: MI }),
    'Container c exceeded its local ephemeral storage limit "1Mi". ',
    "ephemeralcontainerfs.limit",
  ],
  ["nothing", podOf("p"), use(0, { rootfs: GI }), undefined, undefined],
])("what a pod writes is held to its limits: %s", (_, pod, used, message, signal) => {
  const problem = storageProblem(pod, used, false);
  expect([problem?.message, problem?.signal]).toEqual([message, signal]);
});

function lab(available: Partial<Record<Signal, number>>, after = available) {
  const events: string[] = [];
  const evicted: string[] = [];
  const counted: string[] = [];
  let reclaimed = 0;
  const evictionHard = { "memory.available": "1Gi", "nodefs.available": "1Gi" };
  const manager = new EvictionManager({
    state: new PressureState(parseThresholds({ ...settings, evictionHard }), 1000),
    measure: async () => ({
      observations: seen(reclaimed === 0 ? available : after),
      useOf: ({ metadata }) => (metadata.name === "big" ? use(3 * GI) : use(MI)),
      hasImageFs: false,
    }),
    pods: () => [podOf("critical", { priority: 2_000_000_000 }), podOf("small", { memory: "1Gi" }), podOf("big")],
    evict: async ({ metadata }, { reason }, grace) => void evicted.push(`${metadata.name} ${reason} ${grace}`),
    reclaimDisk: async () => {
      reclaimed += 1;
    },
    limitsStorage: true,
    softGraceSeconds: 30,
    recorder: { event: (_, type, reason, message) => void events.push(`${type} ${reason} ${message}`), flush: async () => {} },
    node: { kind: "Node", apiVersion: "v1", name: "node" },
    metrics: {
      evicting: (signal, ageSeconds) => void counted.push(`evicting ${signal} ${ageSeconds}`),
      evicted: (signal) => void counted.push(`evicted ${signal}`),
    },
    clock: new ManualClock(),
    logger: silent,
  });
  return { manager, events, evicted, counted, reclaimed: () => reclaimed };
}

test("one pod is evicted for want of memory, and is told why; new ones are refused unless they were promised some", async () => {
  const { manager, events, evicted, counted, reclaimed } = lab({ "memory.available": GI / 2 });
  expect(manager.refusal(podOf("new"))).toBeUndefined();
  await manager.synchronize();
  expect(evicted).toEqual(["big Evicted 1"]);
  expect(counted).toEqual(["evicting memory.available 0", "evicted memory.available"]);
  expect(reclaimed()).toBe(0);
  expect(events).toEqual([
    "Warning EvictionThresholdMet Attempting to reclaim memory",
    "Warning Evicted The node was low on resource: memory. Threshold quantity: 1Gi, available: 512Mi. Container c was using 3Gi, request is 0, has larger consumption of memory. ",
  ]);
  expect(manager.pressures()).toEqual({ memory: true, disk: false, pid: false });
  expect(manager.refusal(podOf("new"))).toEqual({ reason: "Evicted", message: "The node had condition: [MemoryPressure]. " });
  expect(manager.refusal(podOf("new", { memory: "1Mi" }))).toBeUndefined();
  const tolerations = [{ key: "node.kubernetes.io/memory-pressure", operator: "Exists" }];
  expect(manager.refusal(podOf("new", { more: { tolerations } }))).toBeUndefined();
  expect(manager.refusal(podOf("new", { priority: 2_000_000_000 }))).toBeUndefined();
});

test("on disks that are full what is unused goes first, and pods only when that is not enough", async () => {
  const enough = lab({ "nodefs.available": GI / 2 }, { "nodefs.available": 2 * GI });
  await enough.manager.synchronize();
  expect([enough.evicted, enough.reclaimed()]).toEqual([[], 1]);
  const short = lab({ "nodefs.available": GI / 2 });
  await short.manager.synchronize();
  expect(short.evicted).toHaveLength(1);
  expect(short.manager.refusal(podOf("new", { memory: "1Gi" }))?.message).toBe("The node had condition: [DiskPressure]. ");
});
