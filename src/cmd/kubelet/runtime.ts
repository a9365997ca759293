import { realClock } from "#base/clock.ts";
import type { Logger } from "#component-base/logging.ts";
import type { ImageService } from "#cri/image-service.ts";
import { CriChannel } from "#cri/remote/cri-channel.ts";
import { NoRuntimeError, socketPathOf } from "#cri/remote/endpoint.ts";
import { RemoteImages } from "#cri/remote/remote-images.ts";
import { RemoteRuntime } from "#cri/remote/remote-runtime.ts";
import type { RuntimeService } from "#cri/runtime-service.ts";
import type { KubeletConfiguration } from "#kubelet/configuration/kubelet-configuration.ts";
import { runtimeSocket } from "../runtime-socket.ts";
import { StartupError } from "../startup-error.ts";

/** The container runtime's two halves, which may be two programs. */
export interface NodeRuntime {
  /** Its name and version, as nodes tell them: `containerd://1.7.24`. */
  readonly name: string;
  readonly runtime: RuntimeService;
  readonly images: ImageService;
  close(): void;
}

/** Connects with the node's runtime, and asks it who it is. Rejects with a {@link StartupError} that says what to do. */
export async function connectRuntime(
  {
    containerRuntimeEndpoint,
    imageServiceEndpoint = "",
  }: Pick<KubeletConfiguration, "containerRuntimeEndpoint" | "imageServiceEndpoint">,
  logger: Logger,
): Promise<NodeRuntime> {
  const socketPath = await runtimeSocket(containerRuntimeEndpoint).catch(asStartupError);
  const channel = new CriChannel(socketPath, realClock);
  const imagePath = imageServiceEndpoint === "" ? socketPath : socketPathOf(imageServiceEndpoint);
  const imageChannel = imagePath === socketPath ? channel : new CriChannel(imagePath, realClock);
  const close = (): void => {
    channel.close();
    if (imageChannel !== channel) imageChannel.close();
  };
  const runtime = new RemoteRuntime(channel);
  try {
    const { runtimeName, runtimeVersion } = await runtime.version();
    const name = `${runtimeName}://${runtimeVersion}`;
    logger.info({ runtime: name, socket: socketPath }, "the container runtime answers");
    return { name, runtime, images: new RemoteImages(imageChannel), close };
  } catch (error) {
    close();
    const why = `the container runtime at unix://${socketPath} does not answer: ${(error as Error).message}`;
    throw new StartupError(`${why}. Is it running, and may this user connect to it?`);
  }
}

function asStartupError(error: unknown): never {
  throw error instanceof NoRuntimeError ? new StartupError(error.message) : error;
}
