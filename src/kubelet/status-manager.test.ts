import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Pod, PodStatus } from "#api/generated/core/v1.ts";
import { conflict, internalError, notFound } from "#apimachinery/api-errors/errors.ts";
import { realClock } from "#base/clock.ts";
import type { Client } from "#client/client.ts";
import { StatusManager } from "./status-manager.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const pod = (name: string): Pod => ({ metadata: { name, namespace: "ns", uid: name }, spec: { containers: [] } });
const status = (phase: string, more: Partial<PodStatus> = {}): PodStatus => ({ phase, ...more });

/** A manager, and what it sent: phases, and `delete`. `answers` are thrown in turn. */
function start(answers: Error[] = []): { manager: StatusManager; sent: string[]; patches: object[]; stop: AbortController } {
  const sent: string[] = [];
  const patches: object[] = [];
  const answer = async (text: string): Promise<void> => {
    sent.push(text);
    await realClock.sleep(10);
    const error = answers.shift();
    if (error !== undefined) throw error;
  };
  const client = {
    async patch(_id: unknown, _namespace: string, name: string, _type: string, patch: { status: PodStatus }) {
      patches.push(patch);
      await answer(`${name} ${patch.status.phase}`);
    },
    delete: (_id: unknown, _namespace: string, name: string) => answer(`${name} delete`),
  } as unknown as Client;
  const stop = new AbortController();
  return { manager: new StatusManager({ client, clock: realClock, signal: stop.signal }), sent, patches, stop };
}

test("of several states of a pod the newest is written, one write at a time", async () => {
  const { manager, sent } = start();
  for (const phase of ["Pending", "Running", "Succeeded"]) manager.write(pod("a"), status(phase), false);
  manager.write(pod("b"), status("Running"), false);
  await vi.advanceTimersByTimeAsync(100);
  expect(sent).toEqual(["a Pending", "b Running", "a Succeeded"]);
});

test("with much to do only the newest state of a pod is written that goes on at once", async () => {
  const { manager, sent } = start();
  const names = ["a", "b", "c", "d", "e", "f"];
  for (const phase of ["Pending", "Running"]) for (const name of names) manager.write(pod(name), status(phase), false);
  await vi.advanceTimersByTimeAsync(100);
  const early = ["a Pending", "b Pending", "c Pending", "d Pending"];
  expect(sent).toEqual([...early, "e Running", "f Running", "a Running", "b Running", "c Running", "d Running"]);
});

test("a pod that has ended is removed after its last status, and never before", async () => {
  const { manager, sent } = start();
  manager.write(pod("a"), status("Running"), false);
  manager.write(pod("a"), status("Failed"), true);
  await vi.advanceTimersByTimeAsync(100);
  expect(sent).toEqual(["a Running", "a Failed", "a delete"]);
});

test("a failed write is tried again, and gives way to a newer state", async () => {
  const { manager, sent } = start([internalError("out"), internalError("out")]);
  manager.write(pod("a"), status("Running"), false);
  await vi.advanceTimersByTimeAsync(1100);
  expect(sent).toEqual(["a Running", "a Running"]);
  manager.write(pod("a"), status("Failed"), true);
  await vi.advanceTimersByTimeAsync(3000);
  expect(sent.slice(2)).toEqual(["a Failed", "a delete"]);
});

test.each([
  ["gone", notFound({ group: "", resource: "pods" }, "a")],
  ["another pod of that name", conflict({ group: "", resource: "pods" }, "a", "uid")],
])("a pod that is %s is not told of again", async (_name, error) => {
  const { manager, sent } = start([error]);
  manager.write(pod("a"), status("Failed"), true);
  await vi.advanceTimersByTimeAsync(5000);
  expect(sent).toEqual(["a Failed"]);
});

test("what a condition no longer says is taken out of it", async () => {
  const { manager, patches } = start();
  manager.write(pod("a"), status("Running", { conditions: [{ type: "Ready", status: "True" }] }), false);
  await vi.advanceTimersByTimeAsync(20);
  const ready = { type: "Ready", status: "True", reason: null, message: null };
  expect(patches).toEqual([{ metadata: { uid: "a" }, status: { phase: "Running", conditions: [ready] } }]);
});

test("nothing is written once the signal is aborted", async () => {
  const { manager, sent, stop } = start([internalError("out")]);
  manager.write(pod("a"), status("Running"), false);
  await vi.advanceTimersByTimeAsync(500);
  stop.abort();
  manager.write(pod("b"), status("Running"), false);
  await vi.advanceTimersByTimeAsync(5000);
  expect(sent).toEqual(["a Running"]);
});

test("addresses that there were before and conditions that are taken back go", async () => {
  const { manager, patches } = start();
  const before: Pod = {
    ...pod("a"),
    status: {
      conditions: [
        { type: "PodResizePending", status: "True" },
        { type: "example.com/gate", status: "True" },
      ],
    },
  };
  const told = status("Running", { podIPs: [{ ip: "10.0.0.2" }], conditions: [{ type: "Ready", status: "True" }] });
  manager.write(before, told, false);
  await vi.advanceTimersByTimeAsync(100);
  expect(patches).toMatchObject([
    {
      status: {
        podIPs: [{ $patch: "replace" }, { ip: "10.0.0.2" }],
        conditions: [{ type: "Ready" }, { $patch: "delete", type: "PodResizePending" }],
      },
    },
  ]);
});
