import { expect, test } from "vitest";
import type { PersistentVolumeClaim, Pod } from "#api/generated/core/v1.ts";
import { persistentVolumeClaimProtectionController } from "#kube-controller-manager/controllers/persistentvolumeclaim-protection/controller.ts";
import { PVC_FINALIZER } from "#kube-controller-manager/controllers/persistentvolumeclaim-protection/reconcile.ts";
import { PERSISTENT_VOLUME_CLAIMS, PODS } from "#kube-controller-manager/framework/resources.ts";
import { costAmongMany, NAMESPACE, type Setup, until } from "./controlled.ts";

/** As many claims go together as pods run that use others. */
const claimsThatGo: Setup = async (size, controlled) => {
  const { client } = controlled;
  for (let i = 0; i < size; i++) {
    const volumes = [{ name: "data", persistentVolumeClaim: { claimName: `other${i}` } }];
    const spec = { nodeName: "n", volumes, containers: [{ name: "main", image: "app" }] };
    await client.create<Pod>(PODS, NAMESPACE, { metadata: { name: `p${i}` }, spec });
  }
  const isGone = (name: string): Promise<boolean> =>
    client.get(PERSISTENT_VOLUME_CLAIMS, NAMESPACE, name).then(
      () => false,
      () => true,
    );
  await controlled.start(persistentVolumeClaimProtectionController);
  return async () => {
    for (let i = 0; i < size; i++) {
      const metadata = { name: `c${i}`, finalizers: [PVC_FINALIZER] };
      await client.create<PersistentVolumeClaim>(PERSISTENT_VOLUME_CLAIMS, NAMESPACE, { metadata, spec: {} });
    }
    const names = Array.from({ length: size }, (_, i) => `c${i}`);
    await Promise.all(names.map((name) => client.delete(PERSISTENT_VOLUME_CLAIMS, NAMESPACE, name)));
    for (const name of names) await until(() => isGone(name));
    return size;
  };
};

// Measured: 1. When the pods are listed for each claim, 7.
test("a claim that goes with others costs among 4,000 little more than among 200", async () => {
  expect(await costAmongMany(claimsThatGo, 200, 4_000)).toBeLessThan(3.5);
}, 120_000);
