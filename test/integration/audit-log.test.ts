import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { realClock } from "#base/clock.ts";
import { parseKubeconfig } from "#client/kubeconfig.ts";
import { createRestClient } from "#client/rest-client.ts";
import { eventually } from "../support/kubectl.ts";
import { isBuilt, Program } from "../support/program.ts";

const configMaps = { group: "", version: "v1", resource: "configmaps" };
const WRITERS = 16;
const POLICY = `apiVersion: audit.k8s.io/v1
kind: Policy
rules:
- { level: RequestResponse, resources: [{ resources: [configmaps] }] }
`;

interface Event {
  readonly auditID: string;
  readonly stage: string;
  readonly objectRef?: { readonly name?: string };
}

describe.skipIf(!isBuilt)("the audit log (needs dist/, which npm run build makes)", () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "kybern-audit-"));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  async function start(): Promise<Program> {
    writeFileSync(join(dir, "policy.yaml"), POLICY);
    const args = ["--audit-policy-file", join(dir, "policy.yaml"), "--audit-log-path", join(dir, "audit.log")];
    const program = new Program(["up", "--data-dir", dir, "--secure-port", "0", "--nodes", "0", ...args]);
    await eventually(() => program.stdout.includes("is up"), 20_000, "the banner");
    return program;
  }

  const connect = () =>
    createRestClient({
      ...parseKubeconfig(readFileSync(join(dir, "admin.kubeconfig"), "utf8"), () => ""),
      userAgent: "test",
      clock: realClock,
    });

  /** Throws where a line is not whole. */
  const events = (): Event[] =>
    readFileSync(join(dir, "audit.log"), "utf8")
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line));

  /** Writes until the server is gone; what it acknowledges is added to the list as it comes. */
  async function writeUntilEnd(round: string, acknowledged: string[]): Promise<void> {
    const client = connect();
    const write = async (writer: number): Promise<void> => {
      for (let i = 0; ; i++) {
        const name = `${round}-${writer}-${i}`;
        try {
          await client.create(configMaps, "default", { apiVersion: "v1", kind: "ConfigMap", metadata: { name } });
          acknowledged.push(name);
        } catch {
          return;
        }
      }
    };
    await Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)));
    await client.close();
  }

  test("has a whole line for everything that was answered before kill -9, and goes on after it", async () => {
    const acknowledged: string[] = [];
    for (const round of ["first", "second"]) {
      await using program = await start();
      const enough = acknowledged.length + 8 * WRITERS;
      const writing = writeUntilEnd(round, acknowledged);
      await eventually(() => acknowledged.length >= enough, 30_000, "writes that are answered");
      program.kill("SIGKILL");
      await program.exited;
      await writing;
    }
    await using last = await start();
    last.kill("SIGTERM");
    expect(await last.exited).toBe(0);
    const all = events();
    expect(readFileSync(join(dir, "audit.log"), "utf8").endsWith("\n")).toBe(true);
    const complete = new Set(all.filter(({ stage }) => stage === "ResponseComplete").map(({ objectRef }) => objectRef?.name));
    expect(acknowledged.filter((name) => !complete.has(name))).toEqual([]);
    const stages = all.map(({ auditID, stage }) => `${auditID} ${stage}`);
    expect(new Set(stages).size).toBe(stages.length);
  });
});
