import { expect, test } from "vitest";
import { startCluster } from "#envtest/envtest.ts";

const CONFIG_MAPS = { group: "", version: "v1", resource: "configmaps" };

test("components apply in process as clients do over HTTPS", async () => {
  await using cluster = await startCluster({ nodes: 0 });
  const apply = (data: object, fieldManager: string, force = false) =>
    cluster.client.patch(
      CONFIG_MAPS,
      "default",
      "applied",
      "application/apply-patch+yaml",
      { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "applied" }, data },
      { fieldManager, force },
    );
  await apply({ k: "1", l: "1" }, "a");
  await expect(apply({ k: "2" }, "b")).rejects.toThrow('Apply failed with 1 conflict: conflict with "a": .data.k');
  await apply({ k: "2" }, "b", true);
  const object = await apply({}, "a");
  expect(object).toMatchObject({ data: { k: "2" } });
  expect(object).not.toHaveProperty("data.l");
  // They come by the second of their last change: which is first depends on whether one began meanwhile.
  expect(object.metadata.managedFields?.map(({ manager }) => manager).sort()).toEqual(["a", "b"]);
});
