import { expect, test } from "vitest";
import { csiStorageCapacities } from "./csi-storage-capacity.ts";

test("labels of nodes that have other names now are warned of", () => {
  const nodeTopology = {
    matchExpressions: [{ key: "beta.kubernetes.io/os", operator: "Exists" }],
    matchLabels: { "beta.kubernetes.io/arch": "arm64", a: "b" },
  };
  const capacity = { metadata: {}, storageClassName: "s", nodeTopology };
  expect(csiStorageCapacities.strategy.warningsOnCreate?.(capacity)).toEqual([
    'nodeTopology.matchExpressions[0].key: beta.kubernetes.io/os is deprecated since v1.14; use "kubernetes.io/os" instead',
    'nodeTopology.matchLabels.beta.kubernetes.io/arch: deprecated since v1.14; use "kubernetes.io/arch" instead',
  ]);
});
