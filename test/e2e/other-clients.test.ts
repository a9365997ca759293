import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, startCluster } from "#envtest/envtest.ts";

/** Longest time that a client's program may take, in milliseconds. */
const PROGRAM_TIMEOUT_MS = 90_000;

const works = (command: string, ...args: string[]): boolean => spawnSync(command, args, { stdio: "ignore" }).status === 0;
const hasPython = works("/usr/bin/python3", "-c", "import kubernetes");
const hasRuby = works("ruby", "-e", 'require "kubeclient"');

describe("clients in other languages", () => {
  const dir = mkdtempSync(join(tmpdir(), "kybern-clients-"));
  const kubeconfig = join(dir, "kubeconfig");
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster({ nodes: 1 });
    writeFileSync(kubeconfig, cluster.kubeconfig, { mode: 0o600 });
  });
  afterAll(async () => {
    await cluster?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  test.skipIf(!hasPython)("Python: python3-kubernetes lists, watches, scales and finds kinds by discovery", async () => {
    expect(await run("/usr/bin/python3", "client.py")).toEqual({
      data: { a: "1", b: "2" },
      absent: [404, "NotFound"],
      pages: [["s1", "s2"], ["s3"]],
      events: [
        ["ADDED", "watched"],
        ["MODIFIED", "watched"],
        ["DELETED", "watched"],
      ],
      available: 2,
      scaled: 1,
      dynamic: ["kube-root-ca.crt"],
    });
  });

  test.skipIf(!hasRuby)("Ruby: ruby-kubeclient reads, writes and watches", async () => {
    expect(await run("ruby", "client.rb")).toEqual({
      data: { a: "1", b: "2" },
      absent: 404,
      events: [
        ["ADDED", "watched"],
        ["DELETED", "watched"],
      ],
      available: 1,
      deleted: "Success",
    });
  });

  function run(command: string, script: string): Promise<unknown> {
    const path = fileURLToPath(new URL(`testdata/${script}`, import.meta.url));
    return new Promise((resolve, reject) => {
      execFile(
        command,
        [path, kubeconfig],
        { timeout: PROGRAM_TIMEOUT_MS, env: { ...process.env, HOME: dir } },
        (error, stdout, stderr) => {
          if (error) reject(new Error(`${error.message}\n${stderr}`));
          else resolve(JSON.parse(stdout));
        },
      );
    });
  }
});
