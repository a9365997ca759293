import { expect, test } from "vitest";
import type { Pod } from "#api/generated/core/v1.ts";
import { isMirrorOf, isStaticPod, staticPod } from "./static-pod.ts";

const facts = { nodeName: "Node-1", source: "file", origin: "/etc/m/a.yaml" } as const;
const manifest = (image = "i"): Pod => ({
  metadata: { name: "a" },
  spec: { restartPolicy: "Always", containers: [{ name: "c", image }] },
});

test("a static pod is named for its node, and its uid changes with its manifest", () => {
  const pod = staticPod(manifest(), facts);
  expect(pod.metadata).toMatchObject({
    name: "a-node-1",
    namespace: "default",
    uid: expect.stringMatching(/^[0-9a-f]{32}$/),
    annotations: { "kubernetes.io/config.source": "file", "kubernetes.io/config.hash": pod.metadata.uid },
  });
  expect(pod.spec).toMatchObject({
    nodeName: "Node-1",
    restartPolicy: "Always",
    tolerations: [{ operator: "Exists", effect: "NoExecute" }],
  });
  expect(isStaticPod(pod)).toBe(true);
  const uids = [staticPod(manifest(), facts), staticPod(manifest("j"), facts), staticPod(manifest(), { ...facts, origin: "/b" })];
  expect(new Set([pod, ...uids].map(({ metadata }) => metadata.uid)).size).toBe(3);
  const annotations = { "kubernetes.io/config.mirror": pod.metadata.uid ?? "" };
  expect(isMirrorOf({ ...pod, metadata: { ...pod.metadata, annotations } }, pod)).toBe(true);
});
