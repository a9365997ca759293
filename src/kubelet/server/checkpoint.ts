import { formatTime } from "#apimachinery/meta/time.ts";
import { UnimplementedError } from "#cri/cri-error.ts";
import { sendJson, sendText } from "./answer.ts";
import { hasContainer, podByName, runningContainer } from "./kubelet-host.ts";
import type { KubeletCall, KubeletRoute } from "./routes.ts";

/** `/checkpoint`: a container's state, written to a file of the node. */
export const checkpoint: KubeletRoute = {
  path: "/checkpoint/{namespace}/{pod}/{container}",
  methods: ["POST"],
  serve,
};

async function serve({ host, clock, query, parameters, response }: KubeletCall): Promise<void> {
  const { namespace = "", pod: podName = "", container = "" } = parameters;
  const timeout = query.get("timeout");
  if (timeout !== null && !/^-?\d+$/.test(timeout)) {
    sendText(response, 400, "cannot parse value of timeout parameter");
    return;
  }
  const pod = podByName(host, namespace, podName);
  if (pod === undefined) {
    sendText(response, 404, "pod does not exist");
    return;
  }
  if (!hasContainer(pod, container)) {
    sendText(response, 404, `container "${container}" not found in pod "${podName}"`);
    return;
  }
  const id = await runningContainer(host, pod, "", container);
  if (id === undefined || host.checkpointDir === undefined) {
    sendText(response, 500, `checkpointing of ${namespace}/${podName}/${container} failed (container not found)`);
    return;
  }
  const time = formatTime(clock.now());
  const file = `${host.checkpointDir}/checkpoint-${podName}_${namespace}-${container}-${time}.tar`;
  try {
    await host.runtime.checkpointContainer(id, file, Number(timeout ?? 0));
    sendJson(response, { items: [file] });
  } catch (error) {
    const status = error instanceof UnimplementedError ? 404 : 500;
    const why = error instanceof Error ? error.message : String(error);
    sendText(response, status, `checkpointing of ${namespace}/${podName}/${container} failed (${why})`);
  }
}
