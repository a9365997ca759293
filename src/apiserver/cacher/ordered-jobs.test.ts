import { expect, test } from "vitest";
import { OrderedJobs } from "./ordered-jobs.ts";

test("what need not wait is done at once, what comes behind one that waits is done after it", async () => {
  const jobs = new OrderedJobs();
  const did: string[] = [];
  const job = (name: string, wait: () => Promise<void> | undefined = () => undefined) => ({
    prepare: wait,
    run: () => void did.push(name),
    fail: () => void did.push(`${name} failed`),
  });
  jobs.push(job("a"));
  expect(did).toEqual(["a"]);
  let ready: () => void = () => undefined;
  jobs.push(job("b", () => new Promise((resolve) => (ready = resolve))));
  jobs.push(job("c"));
  jobs.push(job("d", () => Promise.reject(new Error("no"))));
  jobs.push(job("e"));
  expect(jobs.idle).toBe(false);
  ready();
  await expect.poll(() => did).toEqual(["a", "b", "c", "d failed", "e"]);
  expect(jobs.idle).toBe(true);
});

test("what cannot even be prepared fails, and the next is done", () => {
  const jobs = new OrderedJobs();
  const did: unknown[] = [];
  jobs.push({
    prepare: () => {
      throw new Error("no");
    },
    run: () => void did.push("ran"),
    fail: (error) => void did.push((error as Error).message),
  });
  jobs.push({ prepare: () => undefined, run: () => void did.push("next"), fail: () => undefined });
  expect(did).toEqual(["no", "next"]);
});
