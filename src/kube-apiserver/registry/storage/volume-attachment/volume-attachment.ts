import type { VolumeAttachment } from "#api/generated/storage/v1.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { ageColumn, nameColumn } from "#apiserver/table/metadata-columns.ts";
import { columnsOf } from "../../columns.ts";
import { setSourceDefaults } from "../../core/persistent-volume/source-defaults.ts";
import { validateVolumeAttachment, validateVolumeAttachmentStatus, validateVolumeAttachmentUpdate } from "./validation.ts";

const column = columnsOf<VolumeAttachment>("storage.k8s.io/volumeattachments");

/** VolumeAttachments, as served by storage.k8s.io/v1. */
export const volumeAttachments: ResourceDefinition<VolumeAttachment> = {
  group: "storage.k8s.io",
  version: "v1",
  kind: "VolumeAttachment",
  plural: "volumeattachments",
  singular: "volumeattachment",
  scope: "Cluster",
  storagePrefix: "volumeattachments",
  columns: [
    nameColumn,
    column("Attacher", "string", (o) => o.spec.attacher, { format: "name" }),
    column("PV", "string", (o) => o.spec.source?.persistentVolumeName ?? ""),
    column("Node", "string", (o) => o.spec.nodeName),
    column("Attached", "boolean", (o) => o.status?.attached ?? false),
    ageColumn,
  ],
  strategy: {
    setDefaults: ({ spec }) => {
      const inline = spec?.source?.inlineVolumeSpec;
      if (inline) setSourceDefaults(inline);
    },
    allowUnconditionalUpdate: false,
    validate: validateVolumeAttachment,
    validateUpdate: validateVolumeAttachmentUpdate,
    returnDeletedObject: true,
  },
  subresources: { status: { type: "status", keepsMetadata: "all", validateUpdate: validateVolumeAttachmentStatus } },
};
