import { beforeEach, describe, expect, test } from "vitest";
import { notFound, serviceUnavailable } from "#apimachinery/api-errors/errors.ts";
import { ManualClock } from "#base/manual-clock.ts";
import { seededRandom } from "#base/random.ts";
import type { Client, ResourceId } from "./client.ts";
import { FakeClient } from "./fake-client.ts";
import { fencedClient } from "./fenced-client.ts";
import { LeaseCandidate } from "./lease-candidate.ts";

const LEASES: ResourceId = { group: "coordination.k8s.io", version: "v1", resource: "leases" };
/** Longer than a renewal waits for an answer, shorter than all of a release may take. */
const SLOW_MS = 6_000;

const refused = new Error("connection refused");
const noLeader = serviceUnavailable("etcdserver: leader changed");

let clock: ManualClock;
let store: FakeClient;
/** What becomes of the next requests; all others are answered at once. */
let fates: (Error | "slow")[];
let told: Error[];
let candidate: LeaseCandidate;

beforeEach(() => {
  clock = new ManualClock(1_000_000);
  store = new FakeClient({ resources: [{ id: LEASES, kind: "Lease", namespaced: true }], clock, random: seededRandom(1) });
  fates = [];
  told = [];
  const meet = async <T>(send: () => Promise<T>): Promise<T> => {
    const fate = fates.shift();
    if (fate instanceof Error) throw fate;
    const answer = await send();
    if (fate === "slow") await clock.sleep(SLOW_MS);
    return answer;
  };
  const client: Client = Object.assign(fencedClient(store, { holds: () => true, track: (write) => write }), {
    get: ((...args: Parameters<Client["get"]>) => meet(() => store.get(...args))) as Client["get"],
    create: ((...args: Parameters<FakeClient["create"]>) => meet(() => store.create(...args))) as Client["create"],
    update: ((...args: Parameters<Client["update"]>) => meet(() => store.update(...args))) as Client["update"],
  });
  const lease = { namespace: "kube-system", name: "x" };
  candidate = new LeaseCandidate({ client, clock, identity: "a", lease, onNotReleased: (reason) => told.push(reason) });
});

/** What it comes to, while as much time passes as is needed. */
async function inTime<T>(work: Promise<T>): Promise<T> {
  let isDone = false;
  const done = work.finally(() => {
    isDone = true;
  });
  for (let seconds = 0; !isDone && seconds < 60; seconds++) {
    for (let turn = 0; turn < 50; turn++) await Promise.resolve();
    clock.advance(1_000);
  }
  return done;
}

async function holder(): Promise<unknown> {
  const { spec } = await store.get<{ metadata: object; spec: Record<string, unknown> }>(LEASES, "kube-system", "x");
  return spec.holderIdentity;
}

describe("a Lease is given back", () => {
  test.each([
    { name: "by a server that has no leader of its store once", meets: [noLeader] },
    { name: "by one that answers later than a renewal would wait for", meets: ["slow" as const] },
  ])("$name", async ({ meets }) => {
    expect(await candidate.tryAcquireOrRenew()).toBe(true);
    fates.push(...meets);
    await inTime(candidate.release());
    expect([await holder(), told]).toEqual(["", []]);
  });

  test("by who was never told that it is his", async () => {
    // The Lease is looked for at once, and made, but nobody hears of it in time.
    fates.push(notFound({ group: "coordination.k8s.io", resource: "leases" }, "x"), "slow");
    expect([await inTime(candidate.tryAcquireOrRenew()), await holder()]).toEqual([false, "a"]);
    await inTime(candidate.release());
    expect([await holder(), told]).toEqual(["", []]);
  });
});

describe("a Lease that is not given back", () => {
  test.each([
    { name: "no server answers", meets: [refused], reason: refused },
    { name: "the server has no leader of its store for long", meets: [noLeader, noLeader, noLeader], reason: noLeader },
    { name: "both requests take long", meets: ["slow" as const, "slow" as const], reason: new Error("no answer in 4000 ms") },
  ])("is told of with the reason: $name", async ({ meets, reason }) => {
    expect(await candidate.tryAcquireOrRenew()).toBe(true);
    fates.push(...meets);
    await inTime(candidate.release());
    expect(told.map(({ message }) => message)).toEqual([reason.message]);
  });

  test("is told of only where it was held", async () => {
    fates.push(refused);
    expect(await candidate.tryAcquireOrRenew()).toBe(false);
    fates.push(refused);
    await candidate.release();
    expect(told).toEqual([]);
  });
});
