import { expect, test } from "vitest";
import type { CSINode } from "#api/generated/storage/v1.ts";
import { ManualClock } from "#base/manual-clock.ts";
import { seededRandom } from "#base/random.ts";
import type { ResourceId } from "#client/client.ts";
import { FakeClient } from "#client/fake-client.ts";
import { ensureCsiNode } from "./csi-node.ts";

const CSI_NODES: ResourceId = { group: "storage.k8s.io", version: "v1", resource: "csinodes" };
const clientOf = (): FakeClient =>
  new FakeClient({
    resources: [{ id: CSI_NODES, kind: "CSINode", namespaced: false }],
    clock: new ManualClock(),
    random: seededRandom(1),
  });
const ANNOTATION = "storage.alpha.kubernetes.io/migrated-plugins";
const PLUGINS =
  "kubernetes.io/aws-ebs,kubernetes.io/azure-disk,kubernetes.io/azure-file,kubernetes.io/cinder,kubernetes.io/gce-pd,kubernetes.io/portworx-volume,kubernetes.io/vsphere-volume";

test("a node's CSINode goes with its Node and has no drivers", async () => {
  const client = clientOf();
  await ensureCsiNode(client, "n1", "u1");
  await ensureCsiNode(client, "n1", "u1");
  expect(await client.get<CSINode>(CSI_NODES, "", "n1")).toMatchObject({
    metadata: {
      annotations: { [ANNOTATION]: PLUGINS },
      ownerReferences: [{ apiVersion: "v1", kind: "Node", name: "n1", uid: "u1" }],
    },
    spec: { drivers: [] },
  });
});

test("one that is there keeps its drivers and is told what drivers do now", async () => {
  const client = clientOf();
  const drivers = [{ name: "d", nodeID: "i", topologyKeys: [] }];
  const old = { metadata: { name: "n1", annotations: { a: "b", [ANNOTATION]: "kubernetes.io/cinder" } }, spec: { drivers } };
  await client.create(CSI_NODES, "", old as unknown as CSINode);
  await ensureCsiNode(client, "n1", "u1");
  const { metadata, spec } = await client.get<CSINode>(CSI_NODES, "", "n1");
  expect([metadata.annotations, spec.drivers]).toEqual([{ a: "b", [ANNOTATION]: PLUGINS }, drivers]);
});
