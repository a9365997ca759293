import { expect, test } from "vitest";
import { realClock } from "#base/clock.ts";
import { seededRandom } from "#base/random.ts";
import { FakeClient } from "./fake-client.ts";
import { fencedClient } from "./fenced-client.ts";

const THINGS = { group: "", version: "v1", resource: "configmaps" };
const thing = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "x" } };

test("a fenced client writes as long as it may, and reads in any case", async () => {
  const store = new FakeClient({
    resources: [{ id: THINGS, kind: "ConfigMap", namespaced: true }],
    clock: realClock,
    random: seededRandom(1),
  });
  let holds = true;
  let underWay = 0;
  const track = async <T>(write: Promise<T>): Promise<T> => {
    underWay++;
    return write.finally(() => underWay--);
  };
  const client = fencedClient(store, { holds: () => holds, track });
  const writing = client.create(THINGS, "default", thing);
  expect(underWay).toBe(1);
  await writing;
  expect(underWay).toBe(0);
  holds = false;
  const writes = [
    () => client.create(THINGS, "default", thing),
    () => client.update(THINGS, "default", "x", thing),
    () => client.patch(THINGS, "default", "x", "application/merge-patch+json", {}),
    () => client.delete(THINGS, "default", "x"),
    () => client.deleteCollection(THINGS, "default"),
  ];
  for (const write of writes) await expect(write()).rejects.toThrow("leadership has ended");
  expect((await client.get(THINGS, "default", "x")).metadata.name).toBe("x");
  expect((await client.list(THINGS, "default")).items).toHaveLength(1);
});
