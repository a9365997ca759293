import type { Container, ContainerStatus, Mount } from "../container.ts";
import type { Image } from "../image-service.ts";
import type { PodSandbox, PodSandboxStatus } from "../pod-sandbox.ts";
import type { RuntimeStatus } from "../runtime-status.ts";
import type { MessageRead } from "./schema/messages.ts";

const NANOSECONDS = 1_000_000;

/** CRI's times are nanoseconds since the epoch. */
export function toMs(nanoseconds: number): number {
  return Math.floor(nanoseconds / NANOSECONDS);
}

/** 0 is no time. */
function toMsIfAny(nanoseconds: number): number | undefined {
  return nanoseconds <= 0 ? undefined : toMs(nanoseconds);
}

/** Metadata that no runtime leaves out. */
const NO_SANDBOX_METADATA = { name: "", namespace: "", uid: "", attempt: 0 };
const NO_CONTAINER_METADATA = { name: "", attempt: 0 };

/** A sandbox as it is listed. */
export function sandboxOf(message: Omit<MessageRead<"PodSandbox">, "network">): PodSandbox {
  const { id, metadata = NO_SANDBOX_METADATA, state, createdAt, labels, annotations, runtimeHandler } = message;
  return { id, metadata, state, createdAtMs: toMs(createdAt), labels, annotations, runtimeHandler };
}

/** A sandbox with its addresses. */
export function sandboxStatusOf(message: MessageRead<"PodSandboxStatus">): PodSandboxStatus {
  const { ip = "", additionalIps = [] } = message.network ?? {};
  return { ...sandboxOf(message), ip, additionalIps: additionalIps.map((one) => one.ip) };
}

/** A container as it is listed. */
export function containerOf(message: MessageRead<"Container">): Container {
  const { id, podSandboxId, metadata = NO_CONTAINER_METADATA, state, createdAt, labels, annotations } = message;
  const { image, imageRef } = message;
  const names = { image: image?.image ?? "", imageRef };
  return { id, sandboxId: podSandboxId, metadata, state, ...names, createdAtMs: toMs(createdAt), labels, annotations };
}

/** A container with how it goes. CRI does not tell its sandbox here. */
export function containerStatusOf(message: MessageRead<"ContainerStatus">, sandboxId: string): ContainerStatus {
  const { metadata = NO_CONTAINER_METADATA, id, state, imageRef, labels, annotations } = message;
  const { exitCode, reason, message: text, logPath, resources, user } = message;
  return {
    id,
    sandboxId,
    metadata,
    state,
    image: message.image?.image ?? "",
    imageRef,
    createdAtMs: toMs(message.createdAt),
    startedAtMs: toMsIfAny(message.startedAt),
    finishedAtMs: toMsIfAny(message.finishedAt),
    exitCode,
    reason,
    message: text,
    labels,
    annotations,
    logPath,
    mounts: message.mounts.map(mountOf),
    ...(resources?.linux === undefined ? {} : { resources: resources.linux }),
    ...(user?.linux === undefined ? {} : { user: user.linux }),
  };
}

function mountOf({ image, ...mount }: MessageRead<"Mount">): Mount {
  return image === undefined ? mount : { ...mount, image };
}

/** An image that the runtime has. */
export function imageOf(message: MessageRead<"Image">): Image {
  const { id, repoTags, repoDigests, size, uid, username, pinned } = message;
  return { id, repoTags, repoDigests, sizeBytes: size, uid, username, pinned };
}

/** How a runtime is. */
export function runtimeStatusOf({ status, info, runtimeHandlers, features }: MessageRead<"StatusResponse">): RuntimeStatus {
  return {
    conditions: status?.conditions ?? [],
    handlers: runtimeHandlers.map((handler) => ({
      name: handler.name,
      recursiveReadOnlyMounts: handler.features?.recursiveReadOnlyMounts ?? false,
      userNamespaces: handler.features?.userNamespaces ?? false,
    })),
    supplementalGroupsPolicy: features?.supplementalGroupsPolicy ?? false,
    userNamespacesHostNetwork: features?.userNamespacesHostNetwork ?? false,
    info,
  };
}
