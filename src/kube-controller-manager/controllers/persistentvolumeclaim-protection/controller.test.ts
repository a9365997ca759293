import { expect, onTestFinished, test } from "vitest";
import type { PersistentVolumeClaim, Pod } from "#api/generated/core/v1.ts";
import { conflict } from "#apimachinery/api-errors/errors.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { realClock } from "#base/clock.ts";
import { seededRandom } from "#base/random.ts";
import type { ApiList, ResourceId } from "#client/client.ts";
import { FakeClient } from "#client/fake-client.ts";
import { startControllerManager } from "../../controller-manager.ts";
import { PERSISTENT_VOLUME_CLAIMS, PODS } from "../../framework/resources.ts";
import { persistentVolumeClaimProtectionController } from "./controller.ts";
import { PVC_FINALIZER } from "./reconcile.ts";

const MANY = 50;

/** Counts how often pods of a namespace are listed, and refuses the first update. */
class CountingClient extends FakeClient {
  podLists = 0;
  #refusals = 1;

  override async list<T extends object = ApiObject>(id: ResourceId, namespace: string): Promise<ApiList<T>> {
    if (id === PODS && namespace !== "") this.podLists++;
    return super.list(id, namespace);
  }

  override async update<T extends object = ApiObject>(id: ResourceId, ...rest: [string, string, T]): Promise<T> {
    if (this.#refusals-- > 0) throw conflict({ group: "", resource: id.resource }, rest[1], "changed");
    return super.update(id, ...rest);
  }
}

async function started(): Promise<CountingClient> {
  const resources = [
    { id: PODS, kind: "Pod", namespaced: true },
    { id: PERSISTENT_VOLUME_CLAIMS, kind: "PersistentVolumeClaim", namespaced: true },
  ];
  const client = new CountingClient({ resources, clock: realClock, random: seededRandom(1) });
  for (let i = 0; i < MANY; i++) {
    const metadata = { name: `c${i}`, finalizers: [PVC_FINALIZER] };
    await client.create<PersistentVolumeClaim>(PERSISTENT_VOLUME_CLAIMS, "ns", { metadata, spec: {} });
  }
  const volumes = [{ name: "v", persistentVolumeClaim: { claimName: "c0" } }];
  const pod: Pod = { metadata: { name: "p" }, spec: { nodeName: "n", volumes, containers: [{ name: "c", image: "i" }] } };
  await client.create<Pod>(PODS, "ns", pod);
  const manager = await startControllerManager({
    client,
    clock: realClock,
    random: seededRandom(2),
    signal: new AbortController().signal,
    controllers: [persistentVolumeClaimProtectionController],
    freeze: true,
  });
  onTestFinished(() => manager.stop());
  await manager.synced;
  return client;
}

test("of claims that go together all but those in use are let go, also one whose write fails, for a few lists of their pods", async () => {
  const client = await started();
  for (let i = 0; i < MANY; i++) await client.delete(PERSISTENT_VOLUME_CLAIMS, "ns", `c${i}`);
  const names = async (): Promise<(string | undefined)[]> =>
    (await client.list<PersistentVolumeClaim>(PERSISTENT_VOLUME_CLAIMS, "ns")).items.map(({ metadata }) => metadata.name);
  await expect.poll(names).toEqual(["c0"]);
  expect(client.podLists).toBeLessThan(MANY / 4);
  await client.delete(PODS, "ns", "p");
  await expect.poll(names).toEqual([]);
});
