import { once } from "node:events";
import { logContainer } from "../logs/log-container.ts";
import { parseLogOptions } from "../logs/log-options.ts";
import { readLogs } from "../logs/read-logs.ts";
import { sendText } from "./answer.ts";
import { hasContainer, podByName } from "./kubelet-host.ts";
import type { KubeletCall, KubeletRoute } from "./routes.ts";

/** `/containerLogs/{namespace}/{pod}/{container}`. */
export const containerLogs: KubeletRoute = {
  path: "/containerLogs/{namespace}/{pod}/{container}",
  methods: ["GET"],
  serve,
};

async function serve({ host, clock, query, parameters, response }: KubeletCall): Promise<void> {
  const { namespace = "", pod: podName = "", container = "" } = parameters;
  const options = parseLogOptions(query, clock.now());
  if ("message" in options) {
    sendText(response, options.status, options.message);
    return;
  }
  const pod = podByName(host, namespace, podName);
  if (pod === undefined) {
    sendText(response, 404, `pod "${podName}" does not exist`);
    return;
  }
  if (!hasContainer(pod, container)) {
    sendText(response, 404, `container "${container}" not found in pod "${podName}"`);
    return;
  }
  const found = logContainer(podName, pod.status ?? {}, container, options.previous);
  if ("message" in found) {
    sendText(response, 400, found.message);
    return;
  }
  const { runtime, logFiles } = host;
  const status = await runtime.containerStatus(found.containerId).catch(() => undefined);
  const file = status === undefined ? undefined : await logFiles.open(status.logPath).catch(() => undefined);
  if (file === undefined) {
    // Upstream has begun to answer by then: this is all that the log says.
    sendText(response, 200, `unable to retrieve container logs for fake://${found.containerId}`);
    return;
  }
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  response.writeHead(200, { "content-type": "text/plain; charset=utf-8" });
  // Who follows a log that says nothing learns at once that it is there.
  response.flushHeaders();
  const isRunning = async (): Promise<boolean> => {
    const now = await runtime.containerStatus(found.containerId).catch(() => undefined);
    return now?.state === "CONTAINER_RUNNING";
  };
  const write = async (data: Buffer): Promise<void> => {
    if (!response.write(data) && !gone.signal.aborted)
      await once(response, "drain", { signal: gone.signal }).catch(() => undefined);
  };
  try {
    await readLogs(file, { options, write, isRunning, signal: gone.signal });
  } finally {
    await file.close();
    response.end();
  }
}
