import { expect, test } from "vitest";
import type { Node } from "#api/generated/core/v1.ts";
import type { ResourceId } from "#client/client.ts";
import { startCluster } from "#envtest/envtest.ts";

const NODES: ResourceId = { group: "", version: "v1", resource: "nodes" };
const NODES_COUNT = 20;

const isTainted = ({ spec }: Node): boolean => spec?.taints?.some(({ key }) => key === "node.kubernetes.io/not-ready") === true;

test("a new node can be used only when it knows how long it may keep what pods mount", async () => {
  await using cluster = await startCluster();
  const states: Node[] = [];
  const free = new Set<string>();
  const stopping = new AbortController();
  const watching = (async () => {
    for await (const batch of cluster.client.watch<Node>(NODES, "", { signal: stopping.signal })) {
      for (const { object } of batch) {
        states.push(object);
        if (!isTainted(object)) free.add(object.metadata.name ?? "");
      }
      if (free.size === NODES_COUNT) return;
    }
  })();
  for (let i = 0; i < NODES_COUNT; i++) {
    const status = { conditions: [{ type: "Ready", status: "True" }] };
    const node = { apiVersion: "v1", kind: "Node", metadata: { name: `n${i}` }, spec: {}, status };
    await cluster.client.create<Node>(NODES, "", node as Node);
  }
  await watching;
  stopping.abort();
  const early = states.filter((node) => !isTainted(node) && !node.metadata.annotations?.["node.alpha.kubernetes.io/ttl"]);
  expect(early.map(({ metadata }) => metadata.name)).toEqual([]);
});
