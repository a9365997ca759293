import { sendText } from "./answer.ts";
import { podByName, runningContainer } from "./kubelet-host.ts";
import type { KubeletCall, KubeletRoute } from "./routes.ts";

/** How long a command may take, in seconds. */
const TIMEOUT_SECONDS = 240;

/** `/run`: a command's output in the answer. */
export const run: readonly KubeletRoute[] = [
  "/run/{namespace}/{pod}/{container}",
  "/run/{namespace}/{pod}/{uid}/{container}",
].map((path) => ({ path, methods: ["POST"], serve }));

async function serve({ host, query, parameters, response }: KubeletCall): Promise<void> {
  const { namespace = "", pod: podName = "", uid = "", container = "" } = parameters;
  const pod = podByName(host, namespace, podName);
  if (pod === undefined) {
    sendText(response, 404, "pod does not exist");
    return;
  }
  const id = await runningContainer(host, pod, uid, container);
  if (id === undefined) {
    sendText(response, 500, `container not found ("${container}")`);
    return;
  }
  try {
    const { stdout, stderr, exitCode } = await host.runtime.execSync(id, (query.get("cmd") ?? "").split(" "), TIMEOUT_SECONDS);
    if (exitCode !== 0) sendText(response, 500, `command '${query.get("cmd")}' exited with ${exitCode}: ${stderr}`);
    else {
      const output = Buffer.concat([stdout, stderr]);
      response.writeHead(200, { "content-type": "application/json", "content-length": output.length });
      response.end(output);
    }
  } catch (error) {
    sendText(response, 500, error instanceof Error ? error.message : String(error));
  }
}
