import { renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { asker } from "../support/ask.ts";
import { type Cluster, startCluster } from "../support/cluster.ts";
import { CONTAINERD_REASON, type ContainerdVersion, containerdVersions } from "../support/containerd.ts";
import { busyboxImage } from "../support/oci-image.ts";
import { RealNode } from "../support/real-node.ts";
import { saySkipped } from "../support/say-skipped.ts";

// biome-ignore lint/suspicious/noExplicitAny: tests look into whatever was answered.
type Any = any;

const SOON = { timeout: 60_000, interval: 100 };
const PODS = "/api/v1/namespaces/default/pods";
const newest: readonly ContainerdVersion[] = containerdVersions.slice(-1);
const RUNNING = ["SANDBOX_READY", "app CONTAINER_RUNNING"];

saySkipped(newest.length > 0, `images and manifests that are not whole: ${CONTAINERD_REASON}`);

describe.each(newest)("what is not whole yet, on $name", (version) => {
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
    // Fails when something of a pod is left on the machine.
    await node?.[Symbol.asyncDispose]();
  }, 60_000);

  const podOf = async (name: string): Promise<Any> => (await ask("GET", `${PODS}/${name}`)).body;
  const waiting = async (name: string): Promise<Any> => (await podOf(name)).status?.containerStatuses?.[0].state.waiting;
  const eventsOf = async (name: string): Promise<readonly string[]> => {
    const { items } = (await ask("GET", "/api/v1/namespaces/default/events")).body;
    const own = items.filter((event: Any) => event.involvedObject.name === name);
    return own.map(({ reason, message }: Any) => `${reason} ${message}`);
  };
  const there = async (name: string): Promise<readonly string[]> => {
    const { runtime } = node.containerd;
    const sandboxes = (await runtime.listPodSandbox()).filter(({ metadata }) => metadata.name === name);
    const containers = await Promise.all(sandboxes.map(({ id }) => runtime.listContainers({ sandboxId: id })));
    return [
      ...sandboxes.map(({ state }) => state),
      ...containers.flat().map(({ state, metadata }) => `${metadata.name} ${state}`),
    ];
  };
  const isThere = (name: string, ...states: readonly string[]) =>
    vi.waitFor(async () => expect(await there(name)).toEqual(states), SOON);
  const isGone = async (name: string): Promise<void> => {
    await isThere(name);
    await vi.waitFor(async () => expect((await ask("GET", `${PODS}/${name}`)).status).toBe(404), SOON);
  };
  const yaml = (name: string, image = node.image): string => `apiVersion: v1
kind: Pod
metadata:
  name: ${name}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - image: ${image}
    name: app
    command: ["sh", "-c", "trap 'exit 0' TERM; sleep 3600 & wait"]
`;
  const put = (file: string, text: string): void => writeFileSync(join(node.manifests, file), text);

  test("images that are missing, whose registry is away, or that come by half are told of and tried again", async () => {
    const images = new Map<string, string>();
    for (const name of ["missing", "away", "half"]) {
      // Layers that nobody has yet.
      const image = busyboxImage({ Cmd: ["sleep", "2147483647"] }, name);
      const host = node.registry.host;
      images.set(name, name === "missing" ? `${host}/missing:1` : node.registry.add(name, "1", image));
      if (name !== "missing") node.registry.broken.set(name, name === "half" ? "half" : "away");
      const containers = [{ name: "app", image: images.get(name) }];
      const spec = { nodeName: node.nodeName, terminationGracePeriodSeconds: 1, automountServiceAccountToken: false, containers };
      const made = await ask("POST", PODS, { metadata: { name }, spec });
      expect(made.status, made.text).toBe(201);
    }
    for (const [name, image] of images) {
      await vi.waitFor(async () => {
        const events = await eventsOf(name);
        expect(events).toContain(`Pulling Pulling image "${image}"`);
        expect(events).toContain("Failed Error: ErrImagePull");
        expect(events).toContain(`BackOff Back-off pulling image "${image}"`);
        expect(events).toContain("Failed Error: ImagePullBackOff");
        expect(events).toContainEqual(
          expect.stringMatching(`^Failed Failed to pull image "${image}": .*failed to pull and unpack image "${image}": `),
        );
      }, SOON);
      const { reason, message } = await waiting(name);
      expect(reason).toMatch(/^(ErrImagePull|ImagePullBackOff)$/);
      expect(message).toContain(`failed to pull and unpack image "${image}": `);
    }
    const image = images.get("missing");
    const why = `rpc error: code = NotFound desc = failed to pull and unpack image "${image}": failed to resolve reference "${image}": ${image}: not found`;
    expect(await eventsOf("missing")).toContain(`Failed Failed to pull image "${image}": ${why}`);
    await vi.waitFor(async () => {
      expect(await waiting("missing")).toEqual({
        reason: "ImagePullBackOff",
        message: `Back-off pulling image "${image}": ErrImagePull: ${why}`,
      });
    }, SOON);

    node.registry.broken.clear();
    for (const name of ["away", "half"]) {
      await vi.waitFor(async () => expect((await podOf(name)).status.phase).toBe("Running"), SOON);
      expect((await podOf(name)).status.containerStatuses[0]).toMatchObject({ ready: true, restartCount: 0 });
    }
    for (const name of images.keys()) await ask("DELETE", `${PODS}/${name}`);
    for (const name of images.keys()) await isGone(name);
  }, 180_000);

  test("a manifest that is written bit by bit starts nothing before it is whole, and goes on while it is written anew", async () => {
    const name = `bits-${node.nodeName}`;
    const whole = yaml("bits");
    const before = node.said.length;
    for (const part of [0.1, 0.3, 0.5, 0.7]) {
      put("bits.yaml", whole.slice(0, whole.indexOf(" ", whole.length * part)));
      await vi.waitFor(() => expect(node.said.slice(before).some((line) => line.includes("bits.yaml"))).toBe(true), SOON);
      expect(await there(name)).toEqual([]);
    }
    put("bits.yaml", whole);
    await isThere(name, ...RUNNING);
    const { containerStatuses } = (await podOf(name)).status ?? {};
    put("bits.yaml", whole.slice(0, whole.length / 2));
    put("other.yaml", yaml("other"));
    await isThere(`other-${node.nodeName}`, ...RUNNING);
    expect(await there(name)).toEqual(RUNNING);
    put("bits.yaml", whole);
    rmSync(join(node.manifests, "other.yaml"));
    await isGone(`other-${node.nodeName}`);
    expect(await there(name)).toEqual(RUNNING);
    if (containerStatuses !== undefined) expect((await podOf(name)).status.containerStatuses[0].restartCount).toBe(0);
    rmSync(join(node.manifests, "bits.yaml"));
    await isGone(name);
  }, 120_000);

  test("manifests are renamed into their place, share a name, and go while their pods start", async () => {
    const name = `same-${node.nodeName}`;
    put(".a.yaml", yaml("same"));
    renameSync(join(node.manifests, ".a.yaml"), join(node.manifests, "a.yaml"));
    await isThere(name, ...RUNNING);
    const uidOf = async (): Promise<readonly string[]> =>
      (await node.containerd.runtime.listPodSandbox())
        .filter(({ metadata }) => metadata.name === name)
        .map(({ metadata }) => metadata.uid);
    const [first] = await uidOf();
    // The second waits for the end of the first.
    put("b.yaml", yaml("same"));
    put("c.yaml", yaml("witness"));
    await isThere(`witness-${node.nodeName}`, ...RUNNING);
    expect(await uidOf()).toEqual([first]);
    rmSync(join(node.manifests, "a.yaml"));
    await vi.waitFor(async () => {
      expect(await there(name)).toEqual(RUNNING);
      expect(await uidOf()).not.toContain(first);
    }, SOON);
    rmSync(join(node.manifests, "b.yaml"));

    for (const [i, seen] of ["nothing", "sandbox", "container"].entries()) {
      const hasty = `hasty-${i}-${node.nodeName}`;
      put("d.yaml", yaml(`hasty-${i}`));
      if (seen !== "nothing") {
        await vi.waitFor(async () => expect((await there(hasty)).length).toBeGreaterThanOrEqual(seen === "sandbox" ? 1 : 2), {
          ...SOON,
          interval: 20,
        });
      }
      rmSync(join(node.manifests, "d.yaml"));
      await isGone(hasty);
    }
    await isGone(name);
    rmSync(join(node.manifests, "c.yaml"));
    await isGone(`witness-${node.nodeName}`);
  }, 180_000);
});
