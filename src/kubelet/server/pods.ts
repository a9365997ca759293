import { sendJson } from "./answer.ts";
import type { KubeletCall, KubeletRoute } from "./routes.ts";

/** `/pods`, as the API wants them, and `/runningpods/`, as the runtime has them. */
export const pods: readonly KubeletRoute[] = [
  { path: "/pods", methods: ["GET"], serve: async (call) => sendPods(call, call.host.pods()) },
  { path: "/runningpods/", methods: ["GET"], serve: serveRunning },
];

async function serveRunning(call: KubeletCall): Promise<void> {
  const { runtime } = call.host;
  const running = (await runtime.listContainers()).filter(({ state }) => state === "CONTAINER_RUNNING");
  const sandboxes = await runtime.listPodSandbox();
  const found = sandboxes.flatMap(({ id, metadata: { name, namespace, uid } }) => {
    const own = running.filter(({ sandboxId }) => sandboxId === id);
    const containers = own.map(({ metadata, image }) => ({ name: metadata.name, image, resources: {} }));
    return containers.length === 0 ? [] : [{ metadata: { name, namespace, uid }, spec: { containers }, status: {} }];
  });
  sendPods(call, found);
}

function sendPods({ response }: KubeletCall, items: readonly object[]): void {
  sendJson(response, { kind: "PodList", apiVersion: "v1", metadata: {}, items });
}
