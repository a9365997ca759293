import type { Pod } from "#api/generated/core/v1.ts";
import { formatQuantity, parseQuantity, quantityValue } from "#apimachinery/resource/quantity.ts";
import { podLimits } from "#component-helpers/pod/pod-limits.ts";
import { diskUseOf, type PodUse } from "./pod-usage.ts";

const STORAGE = "ephemeral-storage";

/** Which limit a pod has gone beyond, by upstream's name of its signal, and what is said of it. */
export interface StorageProblem {
  readonly signal: "emptydirfs.limit" | "ephemeralpodfs.limit" | "ephemeralcontainerfs.limit";
  readonly message: string;
}

/**
 * Why a pod has to go for what it has written, in upstream's words (`localStorageEviction`): more than an emptyDir may have, or
 * its containers together, or one of them. Undefined when it keeps to its limits.
 */
export function storageProblem(pod: Pod, use: PodUse, hasImageFs: boolean): StorageProblem | undefined {
  return emptyDirProblem(pod, use) ?? podProblem(pod, use) ?? containerProblem(pod, use, hasImageFs);
}

function emptyDirProblem({ spec }: Pod, use: PodUse): StorageProblem | undefined {
  for (const { name, emptyDir } of spec.volumes ?? []) {
    if (emptyDir?.sizeLimit === undefined) continue;
    const limit = parseQuantity(emptyDir.sizeLimit);
    const bytes = use.volumes.find((volume) => volume.name === name)?.bytes;
    if (bytes === undefined || quantityValue(limit) <= 0 || bytes <= quantityValue(limit)) continue;
    const message = `Usage of EmptyDir volume ${JSON.stringify(name)} exceeds the limit ${JSON.stringify(formatQuantity(limit))}. `;
    return { signal: "emptydirfs.limit", message };
  }
  return undefined;
}

function podProblem(pod: Pod, use: PodUse): StorageProblem | undefined {
  const limit = podLimits(pod).get(STORAGE);
  if (limit === undefined) return undefined;
  const { bytes } = diskUseOf(use, ["rootfs", "logs", "volumes"]);
  if (bytes <= quantityValue(limit)) return undefined;
  const message = `Pod ephemeral local storage usage exceeds the total limit of containers ${formatQuantity(limit)}. `;
  return { signal: "ephemeralpodfs.limit", message };
}

function containerProblem({ spec }: Pod, use: PodUse, hasImageFs: boolean): StorageProblem | undefined {
  for (const { name, rootfs, logs } of use.containers) {
    const text = spec.containers.find((container) => container.name === name)?.resources?.limits?.[STORAGE];
    if (text === undefined) continue;
    const limit = parseQuantity(text);
    const bytes = logs.bytes + (hasImageFs ? 0 : rootfs.bytes);
    if (quantityValue(limit) === 0 || bytes <= quantityValue(limit)) continue;
    const message = `Container ${name} exceeded its local ephemeral storage limit ${JSON.stringify(formatQuantity(limit))}. `;
    return { signal: "ephemeralcontainerfs.limit", message };
  }
  return undefined;
}
