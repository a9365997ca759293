import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Pod } from "#api/generated/core/v1.ts";
import { seededRandom } from "#base/random.ts";
import { CONTAINERD_REASON, containerdVersions } from "../support/containerd.ts";
import type { Moment } from "../support/fault-node/cri-proxy.ts";
import { FaultNode, NAMESPACE } from "../support/fault-node/fault-node.ts";
import { accountOf, differences } from "../support/fault-node/host-account.ts";
import { BUSYBOX_IMAGE } from "../support/host-containerd.ts";
import { isBuilt } from "../support/program.ts";
import { saySkipped } from "../support/say-skipped.ts";
import { hasTestHosts, PROGRAM_DIR, TEST_HOST_REASON } from "../support/test-host.ts";

const SOON = { timeout: 60_000, interval: 200 };
const isThere = hasTestHosts && isBuilt && containerdVersions.length > 0;
const TALLY = "/var/tally";
const LIVES_USUALLY = 12;

/** Where in a pod's life a kubelet is killed: at a call of its runtime, or at a command that it runs. */
interface Point {
  readonly at: string;
  readonly moment: Moment;
  /** So many calls come by first. */
  readonly skip?: number;
}
const all = (at: string, skip = 0): readonly Point[] =>
  (["before", "during", "after"] as const).map((moment) => ({ at, moment, skip }));
const command = (at: string): readonly Point[] => [
  { at, moment: "before" },
  { at, moment: "after" },
];
/** The first container is the init container; the first command in one is the hook, the next the probe. */
const WHILE_IT_STARTS: readonly Point[] = [
  ...command("mount"),
  ...all("RunPodSandbox"),
  ...all("CreateContainer"),
  ...all("StartContainer"),
  { at: "CreateContainer", moment: "after", skip: 1 },
  { at: "StartContainer", moment: "during", skip: 1 },
  { at: "StartContainer", moment: "after", skip: 1 },
  ...all("ExecSync"),
  { at: "ExecSync", moment: "during", skip: 1 },
];
const WHILE_IT_ENDS: readonly Point[] = [
  ...all("ExecSync"),
  ...all("StopContainer"),
  ...all("StopPodSandbox"),
  ...command("umount"),
  ...all("RemovePodSandbox"),
];
/** Pods that live through one of both each: together they go through all with KILLS=all, else through some that FAULT_SEED chooses. */
const LIVES: readonly (readonly [Point, Point])[] = chosen();
function chosen(): readonly (readonly [Point, Point])[] {
  const lives = WHILE_IT_STARTS.map((start, i): readonly [Point, Point] => {
    const end = WHILE_IT_ENDS[i % WHILE_IT_ENDS.length];
    if (end === undefined) throw new Error("there are ends");
    return [start, end];
  });
  const random = seededRandom(Number(process.env.FAULT_SEED ?? 1));
  const shuffled = lives.map((life) => ({ life, at: random.float() })).sort((a, b) => a.at - b.at);
  return shuffled.slice(0, process.env.KILLS === "all" ? lives.length : LIVES_USUALLY).map(({ life }) => life);
}

const nameOf = ({ at, moment, skip = 0 }: Point): string => `${moment}-${at.toLowerCase()}${skip === 0 ? "" : `-${skip + 1}`}`;
const isReady = (pod: Pod | undefined): boolean =>
  pod?.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;

/** Programs in the place of `mount` and `umount` that end who calls them, when a file says so. */
const WRAPPERS = `mkdir -p ${PROGRAM_DIR} ${TALLY}
for name in mount umount; do
  cat >${PROGRAM_DIR}/$name <<END
#!/bin/sh
[ -e /run/kill-before-$name ] && rm /run/kill-before-$name && kill -9 \\$PPID && exit 1
/usr/bin/$name "\\$@"
code=\\$?
[ -e /run/kill-after-$name ] && rm /run/kill-after-$name && kill -9 \\$PPID && exit 1
exit \\$code
END
  chmod +x ${PROGRAM_DIR}/$name
done`;

const exec = (text: string): object => ({ exec: { command: ["sh", "-c", text] } });
const tell = (what: string): string => `echo "$HOSTNAME ${what}" >>/tally/log`;
const spec = {
  terminationGracePeriodSeconds: 10,
  volumes: [
    { name: "tally", hostPath: { path: TALLY } },
    { name: "memory", emptyDir: { medium: "Memory" } },
    { name: "config", configMap: { name: "config" } },
  ],
  initContainers: [
    {
      name: "first",
      image: BUSYBOX_IMAGE,
      command: ["sh", "-c", tell("init")],
      volumeMounts: [{ name: "tally", mountPath: "/tally" }],
    },
  ],
  containers: [
    {
      name: "app",
      image: BUSYBOX_IMAGE,
      command: [
        "sh",
        "-c",
        `mkdir /tally/$HOSTNAME || ${tell("twice")}; ${tell("app")}; trap 'rmdir /tally/$HOSTNAME; exit 0' TERM; sleep 3600 & wait`,
      ],
      lifecycle: { postStart: exec(tell("started")), preStop: exec(tell("stopping")) },
      // Once it is ready, nobody asks again while it is tested.
      readinessProbe: { ...exec("test -d /tally/$HOSTNAME"), periodSeconds: 600, timeoutSeconds: 30 },
      volumeMounts: [
        { name: "tally", mountPath: "/tally" },
        { name: "memory", mountPath: "/memory" },
        { name: "memory", mountPath: "/part", subPath: "part" },
        { name: "config", mountPath: "/config" },
        { name: "config", mountPath: "/key", subPath: "key" },
      ],
    },
  ],
};

saySkipped(isThere, `a kubelet that is killed: ${TEST_HOST_REASON}; ${CONTAINERD_REASON}; dist/`);

describe.runIf(isThere)("a kubelet that is killed", () => {
  let node: FaultNode;
  const [version = { name: "", bin: "" }] = containerdVersions.slice(-1);

  beforeAll(async () => {
    node = await FaultNode.start(version, { proxied: true, prepare: WRAPPERS });
    const config = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "config" }, data: { key: "value" } };
    await node.client.create({ group: "", version: "v1", resource: "configmaps" }, NAMESPACE, config as never);
    node.launch();
    await node.condition("Ready", "True");
  }, 120_000);
  afterAll(() => node?.[Symbol.asyncDispose](), 120_000);

  /** Resolves when the kubelet has been killed there, after `act` has led it there. */
  const killAt = async ({ at, moment, skip = 0 }: Point, act: () => Promise<unknown>): Promise<void> => {
    const isCall = /^[A-Z]/.test(at);
    const sprung = isCall
      ? node.proxy?.at(at, moment, () => node.kubelet.kill("SIGKILL"), skip)
      : writeFileSync(node.host.path(`/run/kill-${moment}-${at}`), "");
    await act();
    await sprung;
    await node.kubelet.exited;
    node.launch();
  };
  const told = (name: string, what: string): number =>
    readFileSync(node.host.path(`${TALLY}/log`), "utf8").split(`${name} ${what}\n`).length - 1;
  const gone = async (name: string): Promise<void> => {
    await node.until(name, (pod) => pod === undefined);
    await vi.waitFor(async () => expect(await node.runtime.listPodSandbox()).toEqual([]), SOON);
  };

  test("goes on where it stood: nothing runs twice, and nothing is left", async () => {
    mkdirSync(node.host.path(TALLY), { recursive: true });
    await node.create({ metadata: { name: "undisturbed" }, spec });
    await node.until("undisturbed", isReady);
    await node.delete("undisturbed");
    await gone("undisturbed");
    const before = await accountOf(node.host);

    for (const [start, end] of LIVES) {
      const name = `${nameOf(start)}-${nameOf(end)}`;
      await killAt(start, () => node.create({ metadata: { name }, spec }));
      const pod = await node.until(name, isReady);
      const sandboxes = await node.runtime.listPodSandbox();
      expect(sandboxes.filter(({ state }) => state === "SANDBOX_READY")).toHaveLength(1);
      const running = await node.runtime.listContainers({ state: "CONTAINER_RUNNING" });
      expect(running.map(({ metadata }) => metadata.name)).toEqual(["app"]);
      expect(pod?.status?.containerStatuses?.[0]?.restartCount).toBeLessThanOrEqual(1);
      await killAt(end, () => node.delete(name));
      await gone(name);
      expect([told(name, "twice"), told(name, "init"), told(name, "app")], name).toEqual([0, 1, 1]);
      expect(told(name, "started"), name).toBeLessThanOrEqual(1);
      expect(told(name, "stopping"), name).toBeGreaterThanOrEqual(1);
    }
    expect(await node.host.run(["ls", TALLY])).toBe("log\n");
    await vi.waitFor(async () => expect(differences(before, await accountOf(node.host))).toEqual([]), SOON);
  }, 300_000);
});
