import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Client } from "#client/client.ts";
import type { RuntimeService } from "#cri/runtime-service.ts";
import { asker } from "../support/ask.ts";
import { type Cluster, startCluster } from "../support/cluster.ts";
import { CONTAINERD_REASON, type ContainerdVersion, containerdVersions } from "../support/containerd.ts";
import { RealNode } from "../support/real-node.ts";
import { saySkipped } from "../support/say-skipped.ts";

// biome-ignore lint/suspicious/noExplicitAny: tests look into whatever was answered.
type Any = any;

const SOON = { timeout: 30_000, interval: 100 };
const PODS = "/api/v1/namespaces/default/pods";
/** Each step on its own would take long, for every version. */
const newest: readonly ContainerdVersion[] = containerdVersions.slice(-1);

saySkipped(newest.length > 0, `restarts of a kubelet: ${CONTAINERD_REASON}`);

describe.each(newest)("a kubelet that is started again on $name", (version) => {
  let node: RealNode;
  let cluster: Cluster;
  let ask: ReturnType<typeof asker>;
  beforeAll(async () => {
    node = await RealNode.start({ version });
    cluster = await startCluster({ nodes: 0, network: node.network });
    ask = asker(cluster);
    await node.register(cluster.client);
    await node.launch(cluster);
    const account = "/api/v1/namespaces/default/serviceaccounts/default";
    await vi.waitFor(async () => expect((await ask("GET", account)).status).toBe(200), SOON);
  }, 60_000);
  afterAll(async () => {
    await cluster?.stop();
    await node?.[Symbol.asyncDispose]();
  }, 60_000);

  const podOf = async (name: string): Promise<Any> => (await ask("GET", `${PODS}/${name}`)).body;
  const until = (name: string, want: object) =>
    vi.waitFor(async () => expect((await podOf(name)).status).toMatchObject(want), SOON);
  const ready = (restartCount: number): object => ({ phase: "Running", containerStatuses: [{ ready: true, restartCount }] });
  const create = async (name: string, spec: object = {}): Promise<void> => {
    const containers = [{ name: "app", image: node.image, command: ["sh", "-c", "trap 'exit 0' TERM; sleep 3600 & wait"] }];
    const made = await ask("POST", PODS, {
      metadata: { name },
      spec: {
        nodeName: node.nodeName,
        terminationGracePeriodSeconds: 5,
        automountServiceAccountToken: false,
        containers,
        ...spec,
      },
    });
    expect(made.status, made.text).toBe(201);
  };
  const forceDelete = async (name: string): Promise<void> => {
    expect((await ask("DELETE", `${PODS}/${name}?gracePeriodSeconds=0`)).status).toBe(200);
  };
  /** What the runtime has of pods by that name: the states of sandboxes and of containers. */
  const there = async (name: string): Promise<readonly string[]> => {
    const { runtime } = node.containerd;
    const sandboxes = (await runtime.listPodSandbox()).filter(({ metadata }) => metadata.name === name);
    const containers = await Promise.all(sandboxes.map(({ id }) => runtime.listContainers({ sandboxId: id })));
    return [
      ...sandboxes.map(({ state }) => state),
      ...containers.flat().map(({ state, metadata }) => `${metadata.name} ${state}`),
    ];
  };
  const containerOf = async (name: string): Promise<string> =>
    ((await podOf(name)).status.containerStatuses[0].containerID as string).slice("containerd://".length);
  const writeManifest = (name: string): string => {
    const path = join(node.manifests, `${name}.json`);
    const spec = { terminationGracePeriodSeconds: 1, containers: [{ name: "app", image: node.image }] };
    writeFileSync(path, JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata: { name }, spec }));
    return path;
  };

  test("takes over what runs, removes what is gone, and starts again what has ended meanwhile", async () => {
    const names = ["stays", "goes", "ends", "loses-sandbox"];
    await Promise.all(names.map((name) => create(name)));
    const manifest = writeManifest("leaves");
    const leaving = `leaves-${node.nodeName}`;
    await Promise.all([...names, leaving].map((name) => until(name, ready(0))));
    const { runtime } = node.containerd;
    const before = await containerOf("stays");
    await node.end();

    await forceDelete("goes");
    rmSync(manifest);
    await runtime.stopContainer(await containerOf("ends"), 1);
    const [lost] = (await runtime.listPodSandbox()).filter(({ metadata }) => metadata.name === "loses-sandbox");
    await runtime.stopPodSandbox(lost?.id ?? "");

    await node.launch(cluster);
    await until("ends", ready(1));
    await until("loses-sandbox", ready(1));
    await vi.waitFor(async () => expect([await there("goes"), await there(leaving)]).toEqual([[], []]), SOON);
    await vi.waitFor(async () => expect((await ask("GET", `${PODS}/${leaving}`)).status).toBe(404), SOON);
    expect(await containerOf("stays")).toBe(before);
    expect((await podOf("stays")).status).toMatchObject(ready(0));
    expect(await there("stays")).toEqual(["SANDBOX_READY", "app CONTAINER_RUNNING"]);
    for (const name of ["stays", "ends", "loses-sandbox"]) await ask("DELETE", `${PODS}/${name}`);
    for (const name of ["stays", "ends", "loses-sandbox"])
      await vi.waitFor(async () => expect(await there(name)).toEqual([]), SOON);
  }, 90_000);

  test("leaves pods running while the API is away, and starts static pods without it", async () => {
    await create("alone");
    await until("alone", ready(0));
    const before = await containerOf("alone");
    await node.end();
    await node.launch(cluster, unreachable(cluster.client));
    writeManifest("early");
    const early = `early-${node.nodeName}`;
    await vi.waitFor(async () => expect(await there(early)).toEqual(["SANDBOX_READY", "app CONTAINER_RUNNING"]), SOON);
    expect(await there("alone")).toEqual(["SANDBOX_READY", "app CONTAINER_RUNNING"]);
    expect((await ask("GET", `${PODS}/${early}`)).status).toBe(404);
    await node.end();
    await node.launch(cluster);
    await until(early, ready(0));
    expect(await containerOf("alone")).toBe(before);
    rmSync(join(node.manifests, "early.json"));
    await ask("DELETE", `${PODS}/alone`);
    for (const name of ["alone", early]) await vi.waitFor(async () => expect(await there(name)).toEqual([]), SOON);
  }, 90_000);

  test("finishes what was begun, at whatever step the one before was killed", async () => {
    const steps = [
      "runPodSandbox",
      "createContainer",
      "startContainer",
      "stopContainer",
      "stopPodSandbox",
      "removePodSandbox",
    ] as const;
    for (const step of steps) {
      for (const when of ["before", "after"] as const) {
        await node.end();
        const dying = dyingAt(node.containerd.runtime, step, when);
        await node.launch(cluster, cluster.client, { runtime: dying.runtime });
        const name = `${step.toLowerCase()}-${when}`;
        await create(name);
        const isEnd = step.startsWith("stop") || step.startsWith("remove");
        if (isEnd) {
          await until(name, ready(0));
          await ask("DELETE", `${PODS}/${name}`);
        }
        await dying.died;
        await node.end();
        await node.launch(cluster);
        if (!isEnd) {
          await until(name, { phase: "Running", containerStatuses: [{ ready: true }] });
          expect((await there(name)).filter((one) => one === "SANDBOX_READY" || one.endsWith("RUNNING"))).toEqual([
            "SANDBOX_READY",
            "app CONTAINER_RUNNING",
          ]);
          await ask("DELETE", `${PODS}/${name}`);
        }
        await vi.waitFor(async () => expect((await ask("GET", `${PODS}/${name}`)).status).toBe(404), SOON);
        await vi.waitFor(async () => expect(await there(name)).toEqual([]), SOON);
      }
    }
  }, 240_000);
});

/** A client whose server is not to be reached. */
function unreachable(client: Client): Client {
  const refuse = (): never => {
    throw Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
  };
  return new Proxy(client, {
    get: (target, name) => (typeof Reflect.get(target, name) === "function" ? async () => refuse() : Reflect.get(target, name)),
  });
}

/** A runtime that from a call on hears and answers nothing any more, as for a kubelet that was killed there. */
function dyingAt(
  runtime: RuntimeService,
  step: keyof RuntimeService,
  when: "before" | "after",
): { runtime: RuntimeService; died: Promise<void> } {
  let isDead = false;
  let die: () => void = () => {};
  const died = new Promise<void>((resolve) => {
    die = () => {
      isDead = true;
      resolve();
    };
  });
  const never = new Promise<never>(() => {});
  const call =
    (name: string | symbol, act: (...parameters: unknown[]) => unknown) =>
    async (...parameters: unknown[]): Promise<unknown> => {
      if (isDead) return never;
      if (name !== step) return act.apply(runtime, parameters);
      if (when === "after") await act.apply(runtime, parameters);
      die();
      return never;
    };
  const proxy = new Proxy(runtime, {
    get(target, name) {
      const value = Reflect.get(target, name) as unknown;
      if (typeof value !== "function" || name === "getContainerEvents")
        return typeof value === "function" ? value.bind(target) : value;
      return call(name, value as (...parameters: unknown[]) => unknown);
    },
  });
  return { runtime: proxy, died };
}
