import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { realHostFiles } from "#base/host-files.ts";
import { loadPodResources, PodResourcesFile } from "./pod-resources-file.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kybern-allocation-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const cpu = (amount: string) => ({ containers: new Map([["c", { requests: { cpu: amount } }]]) });

test("what is set is there after a restart, in files of its owner's alone", async () => {
  const { allocated, actuated } = await loadPodResources(realHostFiles, folder);
  expect(allocated.get("a")).toBeUndefined();
  await Promise.all([allocated.set("a", cpu("1")), allocated.set("b", cpu("2")), actuated.set("a", cpu("3"))]);
  expect(readdirSync(folder).sort()).toEqual(["actuated_pods_state", "allocated_pods_state"]);
  expect(statSync(join(folder, "allocated_pods_state")).mode & 0o777).toBe(0o600);
  const again = await loadPodResources(realHostFiles, folder);
  expect([again.allocated.get("a"), again.allocated.get("b"), again.actuated.get("a")]).toEqual([cpu("1"), cpu("2"), cpu("3")]);
});

test("what waits goes out together, and what is as it was not at all", async () => {
  const path = join(folder, "state");
  let writes = 0;
  const open: typeof realHostFiles.open = (...args) => {
    writes++;
    return realHostFiles.open(...args);
  };
  const file = await PodResourcesFile.load({ ...realHostFiles, open }, path);
  await Promise.all(Array.from({ length: 50 }, (_, index) => file.set(`pod-${index}`, cpu("1"))));
  expect(writes).toBeLessThanOrEqual(2);
  const before = writes;
  await file.set("pod-0", cpu("1"));
  expect(writes).toBe(before);
});

test("pods that are gone are forgotten with the next write", async () => {
  const path = join(folder, "state");
  const file = await PodResourcesFile.load(realHostFiles, path);
  for (const uid of ["a", "b", "c"]) await file.set(uid, cpu("1"));
  file.remove("a");
  file.keepOnly(new Set(["c"]));
  await file.set("d", cpu("1"));
  const again = await PodResourcesFile.load(realHostFiles, path);
  expect(["a", "b", "c", "d"].map((uid) => again.get(uid) !== undefined)).toEqual([false, false, true, true]);
});

test("what could not be written is told, and written with what comes next", async () => {
  const path = join(folder, "state");
  let full = true;
  const open: typeof realHostFiles.open = (...args) =>
    full
      ? Promise.reject(Object.assign(new Error("ENOSPC: no space left on device, open"), { code: "ENOSPC" }))
      : realHostFiles.open(...args);
  const file = await PodResourcesFile.load({ ...realHostFiles, open }, path);
  await expect(file.set("a", cpu("1"))).rejects.toThrow("no space left");
  full = false;
  await file.set("b", cpu("2"));
  await file.flush();
  expect((await PodResourcesFile.load(realHostFiles, path)).get("a")).toEqual(cpu("1"));
});

test("a file that is not whole ends the start, and stays as it is", async () => {
  const path = join(folder, "actuated_pods_state");
  writeFileSync(path, '{"data":"{}","checksum":1}');
  await expect(loadPodResources(realHostFiles, folder)).rejects.toThrow(
    `could not restore state from checkpoint: checkpoint is corrupted, please drain this node and delete pod resource information checkpoint file "${path}" before restarting Kubelet`,
  );
  expect(readFileSync(path, "utf8")).toBe('{"data":"{}","checksum":1}');
});
