import { expect, test } from "vitest";
import type { Node } from "#api/generated/core/v1.ts";
import type { NodeInfo } from "../../framework/node-info.ts";
import { scoresOf, testCluster, testNode, testNodeInfo, testPod } from "../../framework/test-objects.ts";
import { imageLocality } from "./image-locality.ts";

const MIB = 1024 * 1024;

function nodeWith(name: string, images: Record<string, number>): NodeInfo {
  const node = testNode(name);
  const list = Object.entries(images).map(([image, mib]) => ({ names: [image], sizeBytes: mib * MIB }));
  return testNodeInfo({ ...node, status: { ...node.status, images: list } } as Node);
}

const cases: readonly { name: string; images: string[]; nodes: Record<string, number>[]; want: number[] | "Skip" }[] = [
  { name: "no node has it", images: ["app"], nodes: [{}, { "other:latest": 500 }], want: "Skip" },
  { name: "a large image on one of two nodes", images: ["app:1"], nodes: [{ "app:1": 1000 }, {}], want: [48, 0] },
  { name: "an image that all have", images: ["app:1"], nodes: [{ "app:1": 1000 }, { "app:1": 1000 }], want: [100, 100] },
  { name: "a small image is not worth it", images: ["app:1"], nodes: [{ "app:1": 40 }, {}], want: [0, 0] },
  { name: "no tag means latest", images: ["host:5000/app"], nodes: [{ "host:5000/app:latest": 1000 }, {}], want: [48, 0] },
  {
    name: "each container counts",
    images: ["a:1", "b:1"],
    nodes: [{ "a:1": 1000, "b:1": 1000 }, { "b:1": 1000 }],
    want: [74, 49],
  },
];

test.each(cases)("$name", ({ images, nodes, want }) => {
  const infos = nodes.map((images, i) => nodeWith(`n${i}`, images));
  const pod = testPod("p", { containers: images.map((image, i) => ({ name: `c${i}`, image })) });
  expect(scoresOf(imageLocality(testCluster(infos)), pod, infos)).toEqual(want);
});
