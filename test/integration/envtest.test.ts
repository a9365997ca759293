import { expect, test } from "vitest";
import { type Cluster, startCluster } from "#envtest/envtest.ts";
import { eventually } from "../support/kubectl.ts";

const configMaps = { group: "", version: "v1", resource: "configmaps" };
const pods = { group: "", version: "v1", resource: "pods" };

test("several clusters run side by side and know nothing of each other", async () => {
  await using a = await startCluster({ nodes: 0 });
  await using b = await startCluster({ nodes: 0 });
  expect(a.url).not.toBe(b.url);
  await a.client.create(configMaps, "default", { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "only-a" } });
  expect((await a.client.get(configMaps, "default", "only-a")).metadata.name).toBe("only-a");
  await expect(b.client.get(configMaps, "default", "only-a")).rejects.toMatchObject({ reason: "NotFound" });
});

test("a pod is scheduled and runs", async () => {
  await using cluster = await startCluster({ nodes: 1 });
  await eventually(() => createPod(cluster));
  await eventually(async () => {
    const pod = await cluster.client.get<{ metadata: object; status: { phase?: string } }>(pods, "default", "hello");
    return pod.status.phase === "Running";
  });
});

test("stopping is quick, complete and can be repeated", async () => {
  const cluster = await startCluster({ nodes: 2 });
  await cluster.stop();
  await cluster.stop();
  await expect(fetch(`${cluster.url}/readyz`)).rejects.toThrow();
});

test("a watch that is further behind than it may be is told to list again", async () => {
  await using cluster = await startCluster({ nodes: 0, watchHistoryEvents: 5 });
  const { client } = cluster;
  // Nobody else writes any.
  const limitRanges = { group: "", version: "v1", resource: "limitranges" };
  await client.create(limitRanges, "default", { apiVersion: "v1", kind: "LimitRange", metadata: { name: "changes" } });
  const { metadata } = await client.list(limitRanges, "default");
  const label = (value: string): object => ({ metadata: { labels: { value } } });
  const change = (value: string) => client.patch(limitRanges, "default", "changes", "application/merge-patch+json", label(value));
  const watching = new AbortController();
  const next = (resourceVersion = "") =>
    client.watch(limitRanges, "default", { resourceVersion, signal: watching.signal })[Symbol.asyncIterator]().next();
  const near = await change("a");
  for (const value of ["b", "c", "d", "e", "f"]) await change(value);
  const far = await next(metadata.resourceVersion);
  expect(far.value).toMatchObject([{ type: "ERROR", object: { code: 410, reason: "Expired" } }]);
  expect((await next(near.metadata.resourceVersion)).value).toHaveLength(5);
  watching.abort();
});

async function createPod(cluster: Cluster): Promise<boolean> {
  await cluster.client.create(pods, "default", {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "hello" },
    spec: { containers: [{ name: "c", image: "busybox" }] },
  });
  return true;
}
