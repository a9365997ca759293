import { expect, test, vi } from "vitest";
import { realClock } from "#base/clock.ts";
import { seededRandom } from "#base/random.ts";
import type { ResourceId } from "./client.ts";
import { FakeClient } from "./fake-client.ts";
import { runLeaderElection } from "./leader-election.ts";

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
