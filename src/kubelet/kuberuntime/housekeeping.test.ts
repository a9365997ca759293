import { expect, test } from "vitest";
import { ManualClock } from "#base/manual-clock.ts";
import { silentLogger } from "#component-base/logging.ts";
import type { RuntimeService } from "#cri/runtime-service.ts";
import { Housekeeping } from "./housekeeping.ts";
import { POD_UID_LABEL } from "./labels.ts";

const sandbox = (uid: string, labels: object = { [POD_UID_LABEL]: uid }): object => ({
  id: `box-${uid}`,
  metadata: { uid },
  labels,
});

test("what is left of pods that are gone is removed, the last by which they are found at the end", async () => {
  const done: string[] = [];
  const say =
    (what: string) =>
    async (...[of]: readonly unknown[]): Promise<void> =>
      void done.push(`${what} ${String(of)}`);
  const runtime = {
    listPodSandbox: async () => [sandbox("here"), sandbox("gone"), sandbox("foreign", {})],
    listContainers: async () => [{ id: "c" }],
    stopContainer: say("stop"),
    stopPodSandbox: say("stop"),
    removePodSandbox: say("remove"),
  } as unknown as RuntimeService;
  const housekeeping = new Housekeeping({
    runtime,
    clock: new ManualClock(),
    logger: silentLogger,
    volumes: {
      cleanUp: async (known, first) => {
        for (const uid of ["here", "old"].filter((one) => !known.has(one))) {
          await first?.(uid);
          done.push(`volumes ${uid}`);
        }
      },
    },
    cgroups: { removePodCgroup: say("cgroup"), cleanUp: async () => {} },
    logs: { removeOf: async (_dir, uid) => void done.push(`logs ${uid}`) },
    podLogsDir: "/logs",
    known: () => new Set(["here"]),
  });
  await housekeeping.run();
  expect(done).toEqual(["stop c", "stop box-gone", "logs gone", "remove box-gone", "cgroup gone", "logs old", "volumes old"]);
});
