import type { CSINode } from "#api/generated/storage/v1.ts";
import { isAlreadyExists } from "#apimachinery/api-errors/errors.ts";
import type { Client, ResourceId } from "#client/client.ts";

const CSI_NODES: ResourceId = { group: "storage.k8s.io", version: "v1", resource: "csinodes" };
const MIGRATED_ANNOTATION = "storage.alpha.kubernetes.io/migrated-plugins";
/** The kinds of volumes that upstream's kubelet leaves to drivers, by their former names. */
const MIGRATED_PLUGINS: string = ["aws-ebs", "azure-disk", "azure-file", "cinder", "gce-pd", "portworx-volume", "vsphere-volume"]
  .map((name) => `kubernetes.io/${name}`)
  .join();

/**
 * Makes the CSINode object of a node, which goes with its Node (upstream's `InitializeCSINodeWithAnnotation`); one that is there
 * keeps its drivers. Rejects when the API does not take it.
 */
export async function ensureCsiNode(client: Client, nodeName: string, nodeUid: string): Promise<void> {
  const metadata = {
    name: nodeName,
    annotations: { [MIGRATED_ANNOTATION]: MIGRATED_PLUGINS },
    ownerReferences: [{ apiVersion: "v1", kind: "Node", name: nodeName, uid: nodeUid }],
  };
  const wanted = { apiVersion: "storage.k8s.io/v1", kind: "CSINode", metadata, spec: { drivers: [] } } as unknown as CSINode;
  try {
    await client.create<CSINode>(CSI_NODES, "", wanted, { fieldManager: "kubelet" });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    const found = await client.get<CSINode>(CSI_NODES, "", nodeName);
    const annotations = { ...found.metadata.annotations, [MIGRATED_ANNOTATION]: MIGRATED_PLUGINS };
    if (found.metadata.annotations?.[MIGRATED_ANNOTATION] === MIGRATED_PLUGINS) return;
    const updated = { ...found, metadata: { ...found.metadata, annotations } };
    await client.update<CSINode>(CSI_NODES, "", nodeName, updated, { fieldManager: "kubelet" });
  }
}
