import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { root } from "../architecture/source-tree.ts";

interface Workload {
  readonly name: string;
}

interface Result {
  readonly name: string;
}

interface Results {
  readonly KEPT: string;
  readonly PAGE: string;
  kept(folder: string, workloads: ReadonlyMap<string, Workload>): readonly Result[];
  block(results: readonly Result[]): string;
  blockOf(page: string): string;
}

const load = async (file: string): Promise<unknown> => import(pathToFileURL(join(root, "bench", file)).href);
const { KEPT, PAGE, kept, block, blockOf } = (await load("results.mjs")) as Results;
const { workloads } = (await load("workload.mjs")) as { workloads(): ReadonlyMap<string, Workload> };

test("docs/benchmarks.md shows the results that bench/results/latest.json holds (npm run bench -- --tables writes them)", () => {
  expect(blockOf(readFileSync(PAGE, "utf8"))).toBe(block(kept(KEPT, workloads())).trim());
});
