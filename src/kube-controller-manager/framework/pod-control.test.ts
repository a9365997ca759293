import { beforeEach, describe, expect, test } from "vitest";
import type { ReplicaSet } from "#api/generated/apps/v1.ts";
import type { Pod } from "#api/generated/core/v1.ts";
import { forbidden, internalError, timeout } from "#apimachinery/api-errors/errors.ts";
import { realClock } from "#base/clock.ts";
import { seededRandom } from "#base/random.ts";
import type { ResourceId } from "#client/client.ts";
import { FakeClient } from "#client/fake-client.ts";
import { controllerReference } from "#component-helpers/pod/owner.ts";
import type { Mirror } from "./expectations.ts";
import { PodControl, type PodOwner } from "./pod-control.ts";
import { podFromTemplate } from "./pod-template.ts";
import { PODS } from "./resources.ts";

const labels = { app: "a" };
const set = {
  metadata: { name: "s", namespace: "n", uid: "u" },
  spec: { template: { metadata: { labels }, spec: { containers: [] } } },
} as unknown as ReplicaSet & PodOwner["object"];
const owner: PodOwner = { apiVersion: "apps/v1", kind: "ReplicaSet", object: set };
const newPod = (): Pod =>
  podFromTemplate(
    { metadata: { labels }, spec: { containers: [] } },
    "n",
    "s",
    controllerReference("apps/v1", "ReplicaSet", set),
  );

/** A mirror that is complete up to a revision. */
const showing = (revision: number): Mirror<Pod> => ({ revision, lister: { get: () => undefined, list: () => [] } });

/** Whose creates fail once, with or without being done. */
class LossyClient extends FakeClient {
  fault: { readonly error: Error; readonly isDone: boolean } | undefined;
  override async create<T extends object>(id: ResourceId, namespace: string, object: T): Promise<T> {
    const { fault } = this;
    this.fault = undefined;
    const created = fault === undefined || fault.isDone ? await super.create<T>(id, namespace, object) : undefined;
    if (fault !== undefined) throw fault.error;
    return created as T;
  }
}

describe("PodControl", () => {
  let client: LossyClient;
  let control: PodControl;
  let events: string[];
  const made = async (): Promise<number> => (await client.list(PODS, "n")).items.length;
  const revision = async (): Promise<number> => Number((await client.list(PODS, "n")).metadata.resourceVersion);
  beforeEach(() => {
    client = new LossyClient({
      resources: [{ id: PODS, kind: "Pod", namespaced: true }],
      clock: realClock,
      random: seededRandom(1),
    });
    events = [];
    const event = (_: unknown, type: string, reason: string): void => void events.push(`${type} ${reason}`);
    const recorder = { event, flush: async () => {} };
    control = new PodControl({ client, clock: realClock, recorder });
  });

  test.each([
    ["a connection that broke", new Error("read ECONNRESET")],
    ["a server that waited in vain", timeout("etcdserver: request timed out")],
    ["a store that failed", internalError("rpc error: code = Unavailable desc = read ECONNRESET")],
  ])("after %s it waits for the pod that was made all the same", async (_, error) => {
    client.fault = { error, isDone: true };
    await expect(control.create(owner, newPod())).rejects.toThrow(error.message);
    expect(control.isSettled("u", showing(0))).toBe(true);
    await expect(control.create(owner, newPod())).rejects.toThrow("looking again");
    expect([control.isSettled("u", showing(0)), control.isSettled("u", showing(await revision())), await made()]).toEqual([
      false,
      true,
      1,
    ]);
    expect(await control.create(owner, newPod())).toBe(true);
    expect(events).toEqual(["Warning FailedCreate", "Normal SuccessfulCreate"]);
  });

  test("when nothing was made it looks once, and goes on", async () => {
    client.fault = { error: timeout("etcdserver: request timed out"), isDone: false };
    await expect(control.create(owner, newPod())).rejects.toThrow("timed out");
    await expect(control.create(owner, newPod())).rejects.toThrow("looking again");
    expect(control.isSettled("u", showing(0))).toBe(true);
    expect(await control.create(owner, newPod())).toBe(true);
    expect(await made()).toBe(1);
  });

  test("pods of others do not hold it up", async () => {
    const other = newPod();
    await client.create(PODS, "n", { ...other, metadata: { ...other.metadata, ownerReferences: [] } });
    client.fault = { error: timeout(""), isDone: false };
    await expect(control.create(owner, newPod())).rejects.toThrow();
    await expect(control.create(owner, newPod())).rejects.toThrow("looking again");
    expect(control.isSettled("u", showing(0))).toBe(true);
  });

  test("a server that refuses is believed", async () => {
    client.fault = { error: forbidden({ group: "", resource: "pods" }, "p", "exceeded quota"), isDone: false };
    await expect(control.create(owner, newPod())).rejects.toThrow("exceeded quota");
    expect(await control.create(owner, newPod())).toBe(true);
  });
});
