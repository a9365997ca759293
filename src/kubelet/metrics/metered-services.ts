import type { Clock } from "#base/clock.ts";
import type { ImageService } from "#cri/image-service.ts";
import type { PodSandboxConfig } from "#cri/pod-sandbox.ts";
import type { RuntimeService } from "#cri/runtime-service.ts";
import type { KubeletMetrics } from "./kubelet-metrics.ts";

/** Upstream's names of operations (`instrumentedRuntimeService`); the others are not counted there. */
const RUNTIME: Partial<Record<keyof RuntimeService, string>> = {
  version: "version",
  status: "status",
  createContainer: "create_container",
  startContainer: "start_container",
  stopContainer: "stop_container",
  removeContainer: "remove_container",
  listContainers: "list_containers",
  containerStatus: "container_status",
  updateContainerResources: "update_container",
  reopenContainerLog: "reopen_container_log",
  execSync: "exec_sync",
  exec: "exec",
  attach: "attach",
  runPodSandbox: "run_podsandbox",
  stopPodSandbox: "stop_podsandbox",
  removePodSandbox: "remove_podsandbox",
  podSandboxStatus: "podsandbox_status",
  listPodSandbox: "list_podsandbox",
  containerStats: "container_stats",
  listContainerStats: "list_container_stats",
  podSandboxStats: "podsandbox_stats",
  listPodSandboxStats: "list_podsandbox_stats",
  portForward: "port_forward",
  updatePodCidr: "update_runtime_config",
  checkpointContainer: "checkpoint_container",
};
const IMAGES: Partial<Record<keyof ImageService, string>> = {
  listImages: "list_images",
  imageStatus: "image_status",
  pullImage: "pull_image",
  removeImage: "remove_image",
  imageFsInfo: "image_fs_info",
};

/** The same runtime, whose answers are counted. */
export function meteredRuntime(runtime: RuntimeService, metrics: KubeletMetrics, clock: Clock): RuntimeService {
  return metered(runtime, RUNTIME, clock, (operation, args, seconds, failed) => {
    metrics.operation(operation, seconds, failed);
    if (operation !== "run_podsandbox") return;
    const [config, handler = ""] = args as Parameters<RuntimeService["runPodSandbox"]>;
    metrics.sandbox(handler, seconds, failed, hasOwnIds(config));
  });
}

/** The same images, whose service's answers are counted; `onPull` is told for which pod one was pulled, and for how long. */
export function meteredImages(
  images: ImageService,
  metrics: KubeletMetrics,
  clock: Clock,
  onPull: (podUid: string, seconds: number) => void = () => {},
): ImageService {
  return metered(images, IMAGES, clock, (operation, args, seconds, failed) => {
    metrics.operation(operation, seconds, failed);
    if (operation !== "pull_image") return;
    const [, options] = args as Parameters<ImageService["pullImage"]>;
    if (options?.sandbox !== undefined) onPull(options.sandbox.metadata.uid, seconds);
  });
}

function hasOwnIds({ linux }: PodSandboxConfig): boolean {
  return linux?.securityContext?.namespaceOptions?.usernsOptions?.mode === "POD";
}

type Tell = (operation: string, args: readonly unknown[], seconds: number, failed: boolean) => void;

function metered<T extends object>(service: T, names: Readonly<Record<string, string>>, clock: Clock, tell: Tell): T {
  return new Proxy(service, {
    get(target, property) {
      const method: unknown = Reflect.get(target, property);
      if (typeof method !== "function") return method;
      const operation = names[String(property)];
      if (operation === undefined) return method.bind(target);
      return async (...args: readonly unknown[]): Promise<unknown> => {
        const beganMs = clock.elapsed();
        let failed = true;
        try {
          const answer: unknown = await method.apply(target, args);
          failed = false;
          return answer;
        } finally {
          tell(operation, args, (clock.elapsed() - beganMs) / 1000, failed);
        }
      };
    },
  });
}
