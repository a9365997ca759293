import type { Clock } from "#base/clock.ts";
import type { ImageService } from "#cri/image-service.ts";
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
    if (operation === "run_podsandbox") metrics.sandbox(String(args[1] ?? ""), seconds, failed);
  });
}

/** The same images, whose service's answers are counted. */
export function meteredImages(images: ImageService, metrics: KubeletMetrics, clock: Clock): ImageService {
  return metered(images, IMAGES, clock, (operation, _args, seconds, failed) => metrics.operation(operation, seconds, failed));
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
