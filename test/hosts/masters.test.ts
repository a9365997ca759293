import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { seededRandom } from "#base/random.ts";
import { ETCD_REASON, etcdVersions, hasEtcd } from "../support/etcd.ts";
import type { Fault } from "../support/masters/damage.ts";
import { FAULTS } from "../support/masters/faults.ts";
import { fillStore, SMALL_QUOTA_BYTES } from "../support/masters/full-store.ts";
import { hasHaproxy, Masters } from "../support/masters/masters.ts";
import { hasNamespaces, NAMESPACES_REASON } from "../support/masters/network.ts";
import { shuffled } from "../support/masters/plan.ts";
import { spoil } from "../support/masters/sabotage.ts";
import { Trial } from "../support/masters/trial.ts";
import { isBuilt, programPath } from "../support/program.ts";

/** Repeats the plan of a run: which fault comes when, where, and what clients ask. */
const SEED = Number(process.env.PROPERTY_SEED ?? Math.floor(Math.random() * 1_000_000));
/** Faults are made for so long, in trials of ten minutes each, instead of each once. */
const SOAK_MINUTES = Number(process.env.SOAK_MINUTES ?? 0);
/** Members of etcd in the test of all faults, and whether they are without TLS. */
const MEMBERS = Number(process.env.MEMBERS ?? 3);
const PLAIN = process.env.PLAIN === "1";
/** Only faults whose names match. */
const ONLY = new RegExp(process.env.FAULTS ?? "");
const TRIAL_MS = 600_000;
const MINUTE_MS = 60_000;

const isAble = hasEtcd && isBuilt && hasNamespaces && hasHaproxy;
const REASON = `${ETCD_REASON}, HAProxy, and dist/; ${NAMESPACES_REASON}`;

/** Makes one fault. Resolves with what was measured. */
async function made(trial: Trial, { name, run }: Fault, seed: number): Promise<unknown> {
  try {
    return await run(trial);
  } catch (error) {
    throw new Error(`seed ${seed}: ${name}: ${error}\n${trial.masters.tails()}`, { cause: error });
  }
}

/** Makes faults one after another, for as long as `goesOn` says, and expects a judgement without a fault. */
async function faulted(masters: Masters, seed: number, goesOn: (done: number) => boolean): Promise<void> {
  await using trial = await Trial.start(masters, seed);
  const faults = FAULTS.filter(({ name }) => ONLY.test(name));
  const measured: Record<string, unknown> = {};
  for (let plan = shuffled(trial.random, faults), done = 0; goesOn(done); done++) {
    const fault = plan[done % faults.length];
    if (fault === undefined) break;
    measured[fault.name] = await made(trial, fault, seed);
    if ((done + 1) % faults.length === 0) plan = shuffled(trial.random, faults);
  }
  // For whoever reads the output of a run: what was tried, and how long each outage was.
  process.stdout.write(`seed ${seed}: ${trial.summary()}\n${JSON.stringify(measured, null, 1)}\n`);
  await findsNothing(trial, seed);
}

/** Judges, and fails with all that is wrong, each on a line: an assertion of a list would show their number alone. */
async function findsNothing(trial: Trial, seed: number): Promise<void> {
  const wrong = await trial.judge();
  if (wrong.length > 0) throw new Error(`seed ${seed}: ${wrong.length} things are wrong\n${wrong.join("\n")}`);
}

describe.skipIf(!isAble)(`several masters, with faults by the seed ${SEED} (${REASON})`, () => {
  test(`${MEMBERS} members ${PLAIN ? "without" : "with"} TLS, three servers, controllers and schedulers: each fault in turn`, {
    timeout: (SOAK_MINUTES + 20) * MINUTE_MS,
  }, async () => {
    await using masters = await Masters.start({ members: MEMBERS, tls: !PLAIN });
    if (SOAK_MINUTES === 0) await faulted(masters, SEED, (done) => done < FAULTS.filter(({ name }) => ONLY.test(name)).length);
    const seeds = seededRandom(SEED);
    for (const end = performance.now() + SOAK_MINUTES * MINUTE_MS; performance.now() < end; ) {
      const trialEnd = Math.min(end, performance.now() + TRIAL_MS);
      await faulted(masters, seeds.int(1_000_000), () => performance.now() < trialEnd);
    }
  });

  test.skipIf(SOAK_MINUTES > 0)(
    `five members of etcd ${etcdVersions.at(-1)?.version}: the loss of one, and of three`,
    { timeout: 10 * MINUTE_MS },
    async () => {
      await using masters = await Masters.start({ members: 5, tls: false, etcd: etcdVersions.at(-1) });
      await using trial = await Trial.start(masters, SEED);
      for (const name of ["a member of etcd is killed", "etcd's leader freezes", "the quorum of etcd is lost"]) {
        const fault = FAULTS.find((known) => known.name === name);
        if (fault === undefined) throw new Error(`there is no fault ${name}`);
        await made(trial, fault, SEED);
      }
      await findsNothing(trial, SEED);
    },
  );

  test.skipIf(SOAK_MINUTES > 0)(
    "what no program may do is found: a lost write, a forged one, too many pods, a standby that acts, a stolen Lease, a silent node",
    { timeout: 10 * MINUTE_MS },
    async () => {
      await using masters = await Masters.start({ members: 3, tls: false });
      await using trial = await Trial.start(masters, SEED);
      const wanted = await spoil(trial);
      const wrong = (await trial.judge()).join("\n");
      for (const pattern of wanted) expect(wrong, `seed ${SEED}`).toMatch(pattern);
    },
  );

  test.skipIf(SOAK_MINUTES > 0)(
    "a full store: what can be done is done, and all when there is room",
    {
      timeout: 10 * MINUTE_MS,
    },
    async () => {
      await using masters = await Masters.start({ members: 3, tls: false, quotaBytes: SMALL_QUOTA_BYTES });
      await using trial = await Trial.start(masters, SEED);
      const seen = await fillStore(trial);
      expect(seen.refusal).toEqual({ code: 500, message: "etcdserver: mvcc: database space exceeded" });
      expect(seen.ready).toEqual(["ok", "ok", "ok"]);
      await findsNothing(trial, SEED);
    },
  );
});

describe.skipIf(!hasHaproxy || !isBuilt)("kybern config haproxy (needs HAProxy, and dist/)", () => {
  test.each([
    ["--server=10.0.0.1,10.0.0.2,10.0.0.3"],
    ["--server=a=10.0.0.1:6444", "--server=b=[2001:db8::1]:443", "--bind=127.0.0.1:8443", "--max-connections=1000"],
    ["--server=10.0.0.1", "--ca-file=CA"],
  ])("HAProxy takes what %s says", (...args) => {
    const dir = mkdtempSync(join(tmpdir(), "kybern-haproxy-"));
    try {
      const ca = join(dir, "ca.pem");
      execFileSync(
        "openssl",
        ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", join(dir, "k"), "-out", ca, "-subj", "/CN=ca"],
        {
          stdio: "ignore",
        },
      );
      const flags = args.map((arg) => arg.replace("=CA", `=${ca}`));
      const text = execFileSync(process.execPath, [programPath, "config", "haproxy", ...flags], { encoding: "utf8" });
      writeFileSync(join(dir, "haproxy.cfg"), text);
      // Warnings count, too.
      expect(execFileSync("haproxy", ["-c", "-W", "-f", join(dir, "haproxy.cfg")], { encoding: "utf8" })).toContain("valid");
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
