import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Pod } from "#api/generated/core/v1.ts";
import { realClock } from "#base/clock.ts";
import { type FolderWatcher, realFolderWatcher } from "#base/folder-watcher.ts";
import { realHostFiles } from "#base/host-files.ts";
import { silentLogger } from "#component-base/logging.ts";
import { FileSource } from "./file-source.ts";

let dir: string;
let errors: string[];
let names: readonly string[];
let source: FileSource | undefined;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "kybern-manifests-"));
  errors = [];
  names = ["never told"];
});
afterEach(() => {
  source?.stop();
  rmSync(dir, { recursive: true, force: true });
});

const start = async (watchFolder: FolderWatcher, periodMs: number, path = dir): Promise<void> => {
  source = await FileSource.start({
    path,
    nodeName: "Node",
    periodMs,
    decodeManifest: (text) => [
      { metadata: { name: (JSON.parse(text) as { name: string }).name }, spec: { containers: [] } } as Pod,
    ],
    files: realHostFiles,
    watchFolder,
    clock: realClock,
    logger: { ...silentLogger, error: (fields) => void errors.push(String(fields.path)) },
    take: (pods) => {
      names = pods.map(({ metadata }) => metadata.name ?? "");
    },
  });
};
const write = (file: string, name: string): void => writeFileSync(join(dir, file), JSON.stringify({ name }));
const told = (...want: string[]) => vi.waitFor(() => expect(names).toEqual(want), { timeout: 5000, interval: 10 });

test("files come, change and go, as the kernel tells", async () => {
  write("b.json", "b");
  write(".hidden", "hidden");
  mkdirSync(join(dir, "folder"));
  await start(realFolderWatcher, 3_600_000);
  await told("b-node");
  write("a.json", "a");
  await told("a-node", "b-node");
  write("b.json", "other");
  await told("a-node", "other-node");
  renameSync(join(dir, "a.json"), join(dir, ".a.json"));
  await told("other-node");
});

test("a file that is half written is reported, what it said goes on, and so do the others", async () => {
  write("a.json", "a");
  write("b.json", "b");
  await start(realFolderWatcher, 3_600_000);
  writeFileSync(join(dir, "a.json"), '{"name": "a');
  await vi.waitFor(() => expect(errors).toEqual([join(dir, "a.json")]));
  expect(names).toEqual(["a-node", "b-node"]);
  write("a.json", "whole");
  await told("whole-node", "b-node");
});

test("where nothing tells of changes they are looked for, also in a folder that comes later", async () => {
  const nobody: FolderWatcher = (_path, _onChange, onError) => {
    onError(new Error("no"));
    return () => {};
  };
  const later = join(dir, "later");
  await start(nobody, 20, later);
  expect(names).toEqual([]);
  mkdirSync(later);
  write("later/a.json", "a");
  await told("a-node");
  rmSync(later, { recursive: true });
  await told();
});
