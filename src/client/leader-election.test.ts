import { describe, expect, test, vi } from "vitest";
import { type Clock, realClock } from "#base/clock.ts";
import { ManualClock } from "#base/manual-clock.ts";
import { seededRandom } from "#base/random.ts";
import type { Client, ResourceId } from "./client.ts";
import { FakeClient } from "./fake-client.ts";
import { fencedClient } from "./fenced-client.ts";
import { type LeadershipTerm, runLeaderElection } from "./leader-election.ts";

const LEASES: ResourceId = { group: "coordination.k8s.io", version: "v1", resource: "leases" };

test("one of two candidates leads; when it leaves, it gives the Lease back and the other takes it", async () => {
  const client = new FakeClient({
    resources: [{ id: LEASES, kind: "Lease", namespaced: true }],
    clock: realClock,
    random: seededRandom(1),
  });
  const log: string[] = [];
  const run = (identity: string, signal: AbortSignal): Promise<void> =>
    runLeaderElection({
      client,
      clock: realClock,
      identity,
      lease: { namespace: "kube-system", name: "x" },
      retryPeriodMs: 5,
      signal,
      onStartedLeading: () => log.push(`${identity} leads`),
      onStoppedLeading: () => log.push(`${identity} stops`),
    });
  const [a, b] = [new AbortController(), new AbortController()];
  const first = run("a", a.signal);
  await vi.waitFor(() => expect(log).toEqual(["a leads"]));
  const second = run("b", b.signal);
  a.abort();
  await first;
  await vi.waitFor(() => expect(log).toEqual(["a leads", "a stops", "b leads"]));
  const { spec } = await client.get<{ metadata: object; spec: Record<string, unknown> }>(LEASES, "kube-system", "x");
  expect([spec.holderIdentity, spec.leaseDurationSeconds, spec.leaseTransitions]).toEqual(["b", 15, 1]);
  b.abort();
  await second;
});

test("a candidate that is stopped while it is being elected gives the Lease back, and never leads", async () => {
  const client = new FakeClient({
    resources: [{ id: LEASES, kind: "Lease", namespaced: true }],
    clock: realClock,
    random: seededRandom(1),
  });
  const stopping = new AbortController();
  const onStartedLeading = vi.fn();
  await runLeaderElection({
    client,
    clock: realClock,
    identity: "a",
    lease: { namespace: "kube-system", name: "x" },
    signal: stopping.signal,
    onStartedLeading,
    onNewLeader: () => stopping.abort(),
  });
  expect(onStartedLeading).not.toHaveBeenCalled();
  const { spec } = await client.get<{ metadata: object; spec: Record<string, unknown> }>(LEASES, "kube-system", "x");
  expect(spec.holderIdentity).toBe("");
});

test.each([
  ["that was changed since it was renewed", "a", ""],
  ["that another has got", "b", "b"],
])("a Lease %s is read before it is given back", async (_, holderIdentity, want) => {
  const client = new FakeClient({
    resources: [{ id: LEASES, kind: "Lease", namespaced: true }],
    clock: realClock,
    random: seededRandom(1),
  });
  const stopping = new AbortController();
  let ended: Promise<void> | undefined;
  await new Promise<void>((resolve) => {
    ended = runLeaderElection({
      client,
      clock: realClock,
      identity: "a",
      lease: { namespace: "kube-system", name: "x" },
      signal: stopping.signal,
      onStartedLeading: () => resolve(),
    });
  });
  const lease = await client.get<{ metadata: object; spec: object }>(LEASES, "kube-system", "x");
  await client.update(LEASES, "kube-system", "x", { ...lease, spec: { ...lease.spec, holderIdentity, leaseTransitions: 7 } });
  stopping.abort();
  await ended;
  const { spec } = await client.get<{ metadata: object; spec: Record<string, unknown> }>(LEASES, "kube-system", "x");
  expect([spec.holderIdentity, spec.leaseTransitions]).toEqual([want, 7]);
});

/** A clock whose timers are another's. */
function timersOf(clock: ManualClock, readings: Pick<Clock, "now" | "elapsed">): Clock {
  return {
    ...readings,
    setTimeout: (task, delayMs) => clock.setTimeout(task, delayMs),
    setInterval: (task, periodMs) => clock.setInterval(task, periodMs),
    sleep: (delayMs, signal) => clock.sleep(delayMs, signal),
  };
}

/** Lets time pass, and promises be kept meanwhile. */
async function pass(clock: ManualClock, ms: number): Promise<void> {
  for (let i = 0; i < ms; i += 500) {
    clock.advance(500);
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  }
}

describe("a leader that others do not hear of", () => {
  /** A candidate on virtual time, whose requests are answered until they are not. */
  async function lead(): Promise<{
    readonly clock: ManualClock;
    readonly term: LeadershipTerm;
    readonly reach: { isCut: boolean; standsStillMs: number };
    readonly stop: () => Promise<void>;
  }> {
    const clock = new ManualClock(1_000_000);
    const reach = { isCut: false, standsStillMs: 0 };
    const store = new FakeClient({
      resources: [{ id: LEASES, kind: "Lease", namespaced: true }],
      clock,
      random: seededRandom(1),
    });
    const answered = <T>(answer: Promise<T>): Promise<T> => (reach.isCut ? new Promise<never>(() => undefined) : answer);
    const client: Client = Object.assign(fencedClient(store, { holds: () => true, track: (write) => write }), {
      get: ((...args: Parameters<Client["get"]>) => answered(store.get(...args))) as Client["get"],
      update: ((...args: Parameters<Client["update"]>) => answered(store.update(...args))) as Client["update"],
    });
    const stopping = new AbortController();
    let term: LeadershipTerm | undefined;
    const ended = runLeaderElection({
      client,
      clock: timersOf(clock, { now: () => clock.now(), elapsed: () => clock.elapsed() + reach.standsStillMs }),
      identity: "a",
      lease: { namespace: "kube-system", name: "x" },
      signal: stopping.signal,
      onStartedLeading: (started) => {
        term = started;
      },
    });
    await vi.waitFor(() => expect(term).toBeDefined());
    return {
      clock,
      term: term as LeadershipTerm,
      reach,
      stop: async () => {
        stopping.abort();
        let hasEnded = false;
        const all = ended.then(() => {
          hasEnded = true;
        });
        while (!hasEnded) await pass(clock, 1_000);
        await all;
      },
    };
  }
  test("leads on while its renewals are answered", async () => {
    const { clock, term, stop } = await lead();
    await pass(clock, 60_000);
    expect([term.holds(), term.signal.aborted]).toEqual([true, false]);
    await stop();
    expect([term.holds(), term.signal.aborted]).toEqual([false, true]);
  });

  test("ends at the renew deadline, though no answer comes that would say so", async () => {
    const { clock, term, reach, stop } = await lead();
    await pass(clock, 4_000);
    reach.isCut = true;
    await pass(clock, 9_000);
    expect([term.holds(), term.signal.aborted]).toEqual([true, false]);
    await pass(clock, 2_000);
    expect([term.holds(), term.signal.aborted]).toEqual([false, true]);
    await stop();
  });

  test("knows that its time is over before any timer says so, when it stood still", async () => {
    const { term, reach, stop } = await lead();
    expect(term.holds()).toBe(true);
    reach.standsStillMs = 10_000;
    expect([term.holds(), term.signal.aborted]).toEqual([false, false]);
    await stop();
  });
});

test("a standby whose machine's clock is set forward waits as long", async () => {
  const clock = new ManualClock(1_000_000);
  let stepMs = 0;
  const client = new FakeClient({ resources: [{ id: LEASES, kind: "Lease", namespaced: true }], clock, random: seededRandom(1) });
  const held = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { name: "x", namespace: "kube-system" } };
  await client.create(LEASES, "kube-system", { ...held, spec: { holderIdentity: "b", leaseDurationSeconds: 15 } });
  const stopping = new AbortController();
  let leads = false;
  const ended = runLeaderElection({
    client,
    clock: timersOf(clock, { now: () => clock.now() + stepMs, elapsed: () => clock.elapsed() }),
    identity: "a",
    lease: { namespace: "kube-system", name: "x" },
    signal: stopping.signal,
    onStartedLeading: () => {
      leads = true;
    },
  });
  const pass = async (seconds: number): Promise<void> => {
    for (let i = 0; i < seconds; i++) {
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
      clock.advance(1_000);
    }
  };
  await pass(5);
  stepMs = 3_600_000;
  await pass(8);
  expect(leads).toBe(false);
  await pass(5);
  expect(leads).toBe(true);
  stopping.abort();
  await pass(5);
  await ended;
});

test.each([
  { name: "a moment", workMs: 300, holdsUntilMs: 300, isGivenBack: true },
  { name: "some seconds", workMs: 3_000, holdsUntilMs: 1_000, isGivenBack: true },
  { name: "too long", workMs: 60_000, holdsUntilMs: 1_000, isGivenBack: false },
])("a leader whose last write takes $name gives the Lease back after it, or not at all", async (given) => {
  const clock = new ManualClock(1_000_000);
  const client = new FakeClient({ resources: [{ id: LEASES, kind: "Lease", namespaced: true }], clock, random: seededRandom(1) });
  const idle = fencedClient(client, { holds: () => true, track: (write) => write });
  const stopping = new AbortController();
  let term: LeadershipTerm | undefined;
  const ended = runLeaderElection({
    client,
    clock,
    identity: "a",
    lease: { namespace: "kube-system", name: "x" },
    signal: stopping.signal,
    onStartedLeading: (started) => {
      term = started;
    },
    // A write that was sent when it was told to stop.
    onStoppedLeading: () => term?.fence({ ...idle, delete: () => clock.sleep(given.workMs) }).delete(LEASES, "", ""),
  });
  await vi.waitFor(() => expect(term).toBeDefined());
  stopping.abort();
  const holder = async (): Promise<unknown> =>
    (await client.get<{ metadata: object; spec: { holderIdentity?: string } }>(LEASES, "kube-system", "x")).spec.holderIdentity;
  let heldMs = 0;
  let freeAtMs: number | undefined;
  for (let passedMs = 0; passedMs < 8_000; passedMs += 100) {
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    if (term?.holds()) heldMs = passedMs + 100;
    if (freeAtMs === undefined && (await holder()) === "") freeAtMs = passedMs;
    clock.advance(100);
  }
  await ended;
  expect(heldMs).toBe(given.holdsUntilMs);
  expect(freeAtMs).toBe(given.isGivenBack ? given.workMs : undefined);
});
