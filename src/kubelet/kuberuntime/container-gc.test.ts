import { expect, test } from "vitest";
import { silentLogger } from "#component-base/logging.ts";
import type { RuntimeService } from "#cri/runtime-service.ts";
import { ContainerGc } from "./container-gc.ts";
import { CONTAINER_NAME_LABEL, POD_UID_LABEL } from "./labels.ts";

function lab(): { readonly gc: ContainerGc; readonly containers: Set<string>; readonly sandboxes: Set<string> } {
  const container = (id: string, uid: string, createdAtMs: number, state = "CONTAINER_EXITED"): object => ({
    id,
    sandboxId: `${uid}-new`,
    state,
    createdAtMs,
    labels: { [POD_UID_LABEL]: uid, [CONTAINER_NAME_LABEL]: "app" },
  });
  const all = [
    container("first", "live", 1),
    container("second", "live", 2),
    container("running", "live", 3, "CONTAINER_RUNNING"),
    container("done", "finished", 1),
    { ...container("foreign", "other", 1), labels: {} },
  ] as { id: string; sandboxId: string }[];
  const sandbox = (id: string, uid: string, createdAtMs: number, state = "SANDBOX_NOTREADY"): object => ({
    id,
    state,
    createdAtMs,
    metadata: { uid },
    labels: { [POD_UID_LABEL]: uid },
  });
  const boxes = [
    sandbox("live-old", "live", 1),
    sandbox("live-new", "live", 2, "SANDBOX_READY"),
    sandbox("finished-new", "finished", 1),
  ] as { id: string }[];
  const containers = new Set(all.map(({ id }) => id));
  const sandboxes = new Set(boxes.map(({ id }) => id));
  const runtime = {
    listContainers: async () => all.filter(({ id }) => containers.has(id)),
    listPodSandbox: async () => boxes.filter(({ id }) => sandboxes.has(id)),
    removeContainer: async (id: string) => void containers.delete(id),
    removePodSandbox: async (id: string) => void sandboxes.delete(id),
  } as unknown as RuntimeService;
  const logs = { removeDangling: async () => {} };
  const gc = new ContainerGc({ runtime, logs, isFinished: (uid) => uid === "finished", logger: silentLogger });
  return { gc, containers, sandboxes };
}

test("of each container the last that died is kept, of each pod the last sandbox; what is others' is left", async () => {
  const { gc, containers, sandboxes } = lab();
  await gc.collect(false);
  expect([...containers]).toEqual(["second", "running", "done", "foreign"]);
  expect([...sandboxes]).toEqual(["live-new", "finished-new"]);
});

test("to make room all goes of pods that are finished", async () => {
  const { gc, containers, sandboxes } = lab();
  await gc.collect(true);
  expect([...containers]).toEqual(["second", "running", "foreign"]);
  expect([...sandboxes]).toEqual(["live-new"]);
});
