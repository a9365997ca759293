import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Cluster, startCluster } from "#envtest/envtest.ts";
import { asker } from "../support/ask.ts";

const CORE = "/api/v1/namespaces/default";
const APPS = "/apis/apps/v1/namespaces/default";
const SOON = { timeout: 30_000 };

// biome-ignore lint/suspicious/noExplicitAny: tests look into whatever was answered.
type Any = any;

describe("the garbage collector", () => {
  let cluster: Cluster;
  let ask: ReturnType<typeof asker>;
  beforeAll(async () => {
    cluster = await startCluster({ nodes: 0 });
    ask = asker(cluster);
  });
  afterAll(() => cluster?.stop());

  const template = (app: string) => ({ metadata: { labels: { app } }, spec: { containers: [{ name: "c", image: "i" }] } });
  const controller = async (name: string, replicas: number): Promise<Any> => {
    const spec = { replicas, selector: { app: name }, template: template(name) };
    const made = (await ask("POST", `${CORE}/replicationcontrollers`, { metadata: { name }, spec })).body;
    await vi.waitFor(async () => expect(await pods(name)).toHaveLength(replicas), SOON);
    return made;
  };
  const pods = async (app: string): Promise<Any[]> => (await ask("GET", `${CORE}/pods?labelSelector=app%3D${app}`)).body.items;
  const remove = (path: string, propagationPolicy?: string, uid?: string) =>
    ask("DELETE", path, {
      kind: "DeleteOptions",
      apiVersion: "v1",
      propagationPolicy,
      preconditions: uid === undefined ? undefined : { uid },
    });
  const gone = (path: string) => vi.waitFor(async () => expect((await ask("GET", path)).status).toBe(404), SOON);

  test.each([["Background"], ["Foreground"], [undefined]])("takes a controller's pods with it (%s)", async (policy) => {
    const name = `taken-${policy ?? "default"}`.toLowerCase();
    const { metadata } = await controller(name, 3);
    await remove(`${CORE}/replicationcontrollers/${name}`, policy ?? "Background", metadata.uid);
    await gone(`${CORE}/replicationcontrollers/${name}`);
    await vi.waitFor(async () => expect(await pods(name)).toEqual([]), SOON);
  });

  test.each([
    ["propagationPolicy", { propagationPolicy: "Orphan" }],
    ["orphanDependents", { orphanDependents: true }],
  ])("leaves pods without their owner where that is asked for (%s)", async (how, options) => {
    const name = `left-${how.toLowerCase()}`;
    await controller(name, 3);
    await ask("DELETE", `${CORE}/replicationcontrollers/${name}`, { kind: "DeleteOptions", apiVersion: "v1", ...options });
    await gone(`${CORE}/replicationcontrollers/${name}`);
    const left = await pods(name);
    expect(left).toHaveLength(3);
    for (const { metadata } of left) expect(metadata.ownerReferences ?? []).toEqual([]);
  });

  test("keeps a controller until the last of its pods has gone, where that is asked for", async () => {
    const { metadata } = await controller("kept", 2);
    const [held] = await pods("kept");
    await ask("PATCH", `${CORE}/pods/${held.metadata.name}`, { metadata: { finalizers: ["example.com/hold"] } });
    await remove(`${CORE}/replicationcontrollers/kept`, "Foreground", metadata.uid);
    await vi.waitFor(async () => expect(await pods("kept")).toHaveLength(1), SOON);
    const waiting = (await ask("GET", `${CORE}/replicationcontrollers/kept`)).body;
    expect(waiting.metadata).toMatchObject({ finalizers: ["foregroundDeletion"], deletionTimestamp: expect.any(String) });
    await ask("PATCH", `${CORE}/pods/${held.metadata.name}`, { metadata: { finalizers: [] } });
    await gone(`${CORE}/replicationcontrollers/kept`);
  });

  test("leaves what has another owner who stays, and takes the reference to who goes", async () => {
    const going = await controller("going", 4);
    const staying = await controller("staying", 0);
    const { name, uid } = staying.metadata;
    const halves = (await pods("going")).slice(0, 2);
    for (const pod of halves) {
      await ask(
        "PATCH",
        `${CORE}/pods/${pod.metadata.name}`,
        JSON.stringify({ metadata: { ownerReferences: [{ apiVersion: "v1", kind: "ReplicationController", name, uid }] } }),
        { "content-type": "application/strategic-merge-patch+json" },
      );
    }
    await remove(`${CORE}/replicationcontrollers/going`, "Foreground", going.metadata.uid);
    await gone(`${CORE}/replicationcontrollers/going`);
    const left = await pods("going");
    expect(left.map(({ metadata }) => metadata.name).sort()).toEqual(halves.map(({ metadata }) => metadata.name).sort());
    for (const { metadata } of left) {
      expect(metadata.deletionTimestamp).toBeUndefined();
      expect(metadata.ownerReferences.map((owner: Any) => owner.name)).toEqual(["staying"]);
    }
  });

  test("is not held up by objects that own each other in a circle", async () => {
    const uids: string[] = [];
    for (const name of ["circle-0", "circle-1", "circle-2"]) {
      uids.push(
        (await ask("POST", `${CORE}/pods`, { metadata: { name }, spec: { containers: [{ name: "c", image: "i" }] } })).body
          .metadata.uid,
      );
    }
    for (let i = 0; i < 3; i++) {
      const owner = {
        apiVersion: "v1",
        kind: "Pod",
        name: `circle-${(i + 2) % 3}`,
        uid: uids[(i + 2) % 3],
        controller: true,
        blockOwnerDeletion: true,
      };
      await ask("PATCH", `${CORE}/pods/circle-${i}`, { metadata: { ownerReferences: [owner] } });
    }
    await remove(`${CORE}/pods/circle-0`, "Foreground", uids[0]);
    for (let i = 0; i < 3; i++) await gone(`${CORE}/pods/circle-${i}`);
  });

  test.each([
    ["Background", 0],
    ["Orphan", 1],
  ])("goes through deployments and their replica sets (%s)", async (policy, sets) => {
    const name = `deployed-${policy.toLowerCase()}`;
    const spec = { replicas: 1, selector: { matchLabels: { app: name } }, template: template(name) };
    const { metadata } = (await ask("POST", `${APPS}/deployments`, { metadata: { name }, spec })).body;
    const replicaSets = async (): Promise<Any[]> =>
      (await ask("GET", `${APPS}/replicasets?labelSelector=app%3D${name}`)).body.items;
    await vi.waitFor(async () => expect(await replicaSets()).toHaveLength(1), SOON);
    await remove(`${APPS}/deployments/${name}`, policy, metadata.uid);
    await gone(`${APPS}/deployments/${name}`);
    await vi.waitFor(async () => expect(await replicaSets()).toHaveLength(sets), SOON);
    for (const set of await replicaSets()) expect(set.metadata.ownerReferences ?? []).toEqual([]);
  });

  test.each([
    ["Background", []],
    ["Orphan", ["dependent"]],
  ])("knows custom resources that own one another (%s)", async (policy, left) => {
    const plural = `owners${policy.toLowerCase()}`;
    const versions = [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object" } } }];
    const spec = { group: "gc.example.com", scope: "Cluster", names: { plural, kind: plural }, versions };
    await ask("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", {
      metadata: { name: `${plural}.gc.example.com` },
      spec,
    });
    const root = `/apis/gc.example.com/v1/${plural}`;
    await vi.waitFor(async () => expect((await ask("GET", root)).status).toBe(200), SOON);
    const head = { apiVersion: "gc.example.com/v1", kind: plural };
    const { metadata } = (await ask("POST", root, { ...head, metadata: { name: "owner" } })).body;
    const owner = { ...head, name: "owner", uid: metadata.uid };
    await ask("POST", root, { ...head, metadata: { name: "dependent", ownerReferences: [owner] } });
    await remove(`${root}/owner`, policy, metadata.uid);
    await gone(`${root}/owner`);
    const names = async () => (await ask("GET", root)).body.items.map((item: Any) => item.metadata.name);
    await vi.waitFor(async () => expect(await names()).toEqual(left), SOON);
  });
});
