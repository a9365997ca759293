import { expect, onTestFinished, test } from "vitest";
import type { PersistentVolume, PersistentVolumeClaim } from "#api/generated/core/v1.ts";
import { realClock } from "#base/clock.ts";
import { seededRandom } from "#base/random.ts";
import { FakeClient } from "#client/fake-client.ts";
import { startControllerManager } from "../../controller-manager.ts";
import { PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, PODS, STORAGE_CLASSES } from "../../framework/resources.ts";
import { persistentVolumeBinderController } from "./controller.ts";

const RESOURCES = [
  { id: PERSISTENT_VOLUME_CLAIMS, kind: "PersistentVolumeClaim", namespaced: true },
  { id: PERSISTENT_VOLUMES, kind: "PersistentVolume", namespaced: false },
  { id: STORAGE_CLASSES, kind: "StorageClass", namespaced: false },
  { id: PODS, kind: "Pod", namespaced: true },
  { id: { group: "", version: "v1", resource: "events" }, kind: "Event", namespaced: true },
];
const accessModes = ["ReadWriteOnce"];

const volume = (name: string, spec: Partial<PersistentVolume["spec"]> = {}): PersistentVolume => ({
  metadata: { name },
  spec: { capacity: { storage: "1Gi" }, accessModes, ...spec },
  status: { phase: "Available" },
});

test("claims are bound to volumes that refer to them, and to others of their class", async () => {
  const client = new FakeClient({ resources: RESOURCES, clock: realClock, random: seededRandom(1) });
  const volumes = [
    volume("of-another-class", { storageClassName: "slow" }),
    volume("of-another-claim", { storageClassName: "fast", claimRef: { namespace: "ns", name: "elsewhere" } }),
    volume("of-no-claim", { storageClassName: "fast" }),
    volume("reserved", { storageClassName: "fast", claimRef: { namespace: "ns", name: "chosen" } }),
  ];
  for (const one of volumes) await client.create<PersistentVolume>(PERSISTENT_VOLUMES, "", one);
  const manager = await startControllerManager({
    client,
    clock: realClock,
    random: seededRandom(2),
    signal: new AbortController().signal,
    controllers: [persistentVolumeBinderController],
    freeze: true,
  });
  onTestFinished(() => manager.stop());
  const boundTo = async (name: string): Promise<string | undefined> =>
    (await client.get<PersistentVolumeClaim>(PERSISTENT_VOLUME_CLAIMS, "ns", name)).spec?.volumeName;
  for (const name of ["chosen", "any"]) {
    const spec = { accessModes, storageClassName: "fast", resources: { requests: { storage: "1Gi" } } };
    await client.create<PersistentVolumeClaim>(PERSISTENT_VOLUME_CLAIMS, "ns", { metadata: { name }, spec });
    await expect.poll(() => boundTo(name)).toBeDefined();
  }
  expect([await boundTo("chosen"), await boundTo("any")]).toEqual(["reserved", "of-no-claim"]);
});
