import { createHash } from "node:crypto";
import type { Pod } from "#api/generated/core/v1.ts";

/** Where a pod came from, and what of its manifest it was; as upstream's `kubetypes` has them. */
export const CONFIG_SOURCE_ANNOTATION = "kubernetes.io/config.source";
export const CONFIG_HASH_ANNOTATION = "kubernetes.io/config.hash";
export const CONFIG_SEEN_ANNOTATION = "kubernetes.io/config.seen";
/** On a mirror pod: the hash of the static pod that it shows. */
export const CONFIG_MIRROR_ANNOTATION = "kubernetes.io/config.mirror";

/** Where pods come from. */
export type PodSource = "file" | "http" | "api";

/** Its manifest is a file or a document, not an object of the API. */
export function isStaticPod({ metadata }: Pod): boolean {
  const source = metadata.annotations?.[CONFIG_SOURCE_ANNOTATION];
  return source === "file" || source === "http";
}

/** It only shows a static pod in the API. */
export function isMirrorPod({ metadata }: Pod): boolean {
  return metadata.annotations?.[CONFIG_MIRROR_ANNOTATION] !== undefined;
}

/** Whether a mirror pod shows this static pod as it is now. */
export function isMirrorOf(mirror: Pod, pod: Pod): boolean {
  return (
    mirror.metadata.name === pod.metadata.name &&
    mirror.metadata.namespace === pod.metadata.namespace &&
    mirror.metadata.annotations?.[CONFIG_MIRROR_ANNOTATION] === pod.metadata.annotations?.[CONFIG_HASH_ANNOTATION]
  );
}

/** `name_namespace`: by this a static pod and its mirror pod belong together. */
export function fullNameOf({ metadata }: Pod): string {
  return `${metadata.name ?? ""}_${metadata.namespace ?? ""}`;
}

/** What a static pod is made from beside its manifest. */
export interface StaticPodFacts {
  readonly nodeName: string;
  readonly source: "file" | "http";
  /** The path or URL. */
  readonly origin: string;
}

/**
 * The pod that a manifest stands for on a node (upstream's `applyDefaults` of `pkg/kubelet/config`): named for the node, with
 * a uid that changes with the manifest, and not to be evicted when the node has trouble.
 */
export function staticPod(manifest: Pod, { nodeName, source, origin }: StaticPodFacts): Pod {
  const { metadata, spec } = manifest;
  const given = metadata.uid ?? "";
  const uid = given === "" ? hashOf(manifest, `${source === "file" ? `host:${nodeName}file` : "url"}:${origin}`) : given;
  const tolerations = spec.tolerations ?? [];
  const everything = { operator: "Exists", effect: "NoExecute" } as const;
  const isTolerated = tolerations.some(
    ({ key = "", operator, effect }) => key === "" && operator === "Exists" && effect === "NoExecute",
  );
  const isAdded = source === "file" && !isTolerated;
  return {
    ...manifest,
    metadata: {
      ...metadata,
      uid,
      name: `${metadata.name ?? ""}-${nodeName.toLowerCase()}`,
      namespace: (metadata.namespace ?? "") === "" ? "default" : (metadata.namespace ?? ""),
      annotations: { ...metadata.annotations, [CONFIG_HASH_ANNOTATION]: uid, [CONFIG_SOURCE_ANNOTATION]: source },
    },
    spec: { ...spec, nodeName, ...(isAdded ? { tolerations: [...tolerations, everything] } : {}) },
    status: { phase: "Pending" },
  } as Pod;
}

function hashOf(pod: Pod, from: string): string {
  return createHash("md5").update(JSON.stringify(pod)).update(from).digest("hex");
}
