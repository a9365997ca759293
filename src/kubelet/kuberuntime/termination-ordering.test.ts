import { expect, test } from "vitest";
import type { Pod } from "#api/generated/core/v1.ts";
import { TerminationOrdering } from "./termination-ordering.ts";

const sidecar = (name: string) => ({ name, restartPolicy: "Always" });
const pod = {
  metadata: {},
  spec: { initContainers: [sidecar("s1"), { name: "init" }, sidecar("s2")], containers: [{ name: "a" }, { name: "b" }] },
} as unknown as Pod;

test("sidecars wait for the others, and for those sidecars that began after them", async () => {
  const ordering = new TerminationOrdering(pod, ["s1", "s2", "a", "b"]);
  const turns: string[] = [];
  const { signal } = new AbortController();
  const all = ["s1", "s2", "a", "b"].map((name) => ordering.turnOf(name, signal).then(() => turns.push(name)));
  for (const name of ["a", "b", "s2", "s1"]) {
    await new Promise((resolve) => setImmediate(resolve));
    ordering.ended(name);
  }
  await Promise.all(all);
  expect(turns).toEqual(["a", "b", "s2", "s1"]);
});

test("who does not run is not waited for, and nobody when the time is over", async () => {
  expect(new TerminationOrdering(pod, ["s1"]).isTurnOf("s1")).toBe(true);
  const hurry = new AbortController();
  const waiting = new TerminationOrdering(pod, ["s1", "a"]).turnOf("s1", hurry.signal);
  hurry.abort();
  await expect(waiting).resolves.toBeUndefined();
});
