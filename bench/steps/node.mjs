import { fileURLToPath } from "node:url";
import { IMAGE, missingForPods, startContainerd } from "../containerd.mjs";
import { startMachine } from "../machine.mjs";

const DRIVER = fileURLToPath(new URL("../on-node.mjs", import.meta.url));
/** How long all of it may take, in milliseconds. */
const TIMEOUT_MS = 900_000;

/**
 * Real containers on a machine of its own, on containerd: from the start of `kybern up` until a pod has an answer of DNS, the
 * middle of `starts`; pods one by one and `together` on a kubelet alone, and what that takes for `restMs` of nothing.
 */
export async function node(context, { starts = 3, oneByOne = 20, together = 30, restMs = 15_000 }) {
  const missing = missingForPods();
  if (missing !== undefined) {
    context.skip(`pods on containerd are left out: they need ${missing}`);
    return;
  }
  const machine = await startMachine("bench");
  try {
    const { version, stop } = await startContainerd(machine);
    const settings = { image: IMAGE, containerd: version, starts, oneByOne, together, restMs };
    const printed = await machine.run([process.execPath, DRIVER, JSON.stringify(settings)], { timeoutMs: TIMEOUT_MS });
    for (const figure of JSON.parse(printed)) context.report(...figure);
    await stop();
  } finally {
    await machine.close();
  }
}
