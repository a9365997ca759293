import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { realProcessRunner } from "#base/process-runner.ts";
import type { Logger } from "#component-base/logging.ts";

const LOGIND = ["org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager"] as const;
const SIGNAL = "type='signal',interface='org.freedesktop.login1.Manager',member='PrepareForShutdown'";
/** Upstream's file by which logind is told to wait longer. */
const OVERRIDES = "/etc/systemd/logind.conf.d";
const OVERRIDE = `${OVERRIDES}/99-kubelet.conf`;
/** logind reads it a moment after it was told to, in milliseconds. */
const RELOAD_MS = 10_000;
const TRY_MS = 100;

/** What {@link holdShutdown} works with. */
export interface ShutdownOptions {
  /** How long pods may take to end, in milliseconds; nothing is held up when 0. */
  readonly periodMs: number;
  /** Ends the pods. */
  readonly onShutdown: () => Promise<void>;
  readonly logger: Logger;
}

/**
 * Holds up the machine's shutdown until its pods have ended, as long as systemd lets one (upstream's `nodeshutdown` on
 * Linux): by an inhibitor lock of logind, which tells when it begins. Rejects when logind cannot be asked.
 */
export async function holdShutdown({ periodMs, onShutdown, logger }: ShutdownOptions): Promise<{ close(): void }> {
  if (periodMs === 0) return { close: () => {} };
  await allowDelay(periodMs, logger);
  const lock = inhibitor();
  const monitor = spawn("busctl", ["--system", "--json=short", "monitor", `--match=${SIGNAL}`], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const failed = (error: Error): void => logger.warn({ err: error }, "a shutdown of the machine will not be held up");
  for (const child of [lock, monitor]) child.once("error", failed);
  let began = false;
  if (monitor.stdout !== null) {
    createInterface({ input: monitor.stdout }).on("line", (line) => {
      if (began || !isBeginning(line)) return;
      began = true;
      logger.info({ periodMs }, "the machine goes down: its pods end");
      void onShutdown()
        .catch((error: unknown) => logger.error({ err: error }, "pods could not be ended"))
        .finally(() => lock.stdin?.end());
    });
  }
  return {
    close: () => {
      monitor.kill();
      lock.stdin?.end();
    },
  };
}

/** Held as long as its standard input is open. */
function inhibitor(): ChildProcess {
  const what = ["--what=shutdown", "--mode=delay", "--who=kubelet", "--why=Kubelet needs time to handle node shutdown"];
  return spawn("systemd-inhibit", [...what, "cat"], { stdio: ["pipe", "ignore", "ignore"] });
}

/** A signal, as `busctl` prints it in JSON, that says `true`: the shutdown begins. */
function isBeginning(line: string): boolean {
  try {
    const { type, member, payload } = JSON.parse(line) as {
      readonly type?: string;
      readonly member?: string;
      readonly payload?: { readonly data?: readonly unknown[] };
    };
    return type === "signal" && member === "PrepareForShutdown" && payload?.data?.[0] === true;
  } catch {
    return false;
  }
}

/** Lets logind wait as long as the pods may take. */
async function allowDelay(periodMs: number, logger: Logger): Promise<void> {
  if ((await delayMs()) >= periodMs) return;
  await mkdir(OVERRIDES, { recursive: true });
  await writeFile(OVERRIDE, `# Kubelet logind override\n[Login]\nInhibitDelayMaxSec=${Math.ceil(periodMs / 1000)}\n`);
  await realProcessRunner.run("systemctl", ["kill", "--signal=HUP", "systemd-logind.service"]);
  const end = performance.now() + RELOAD_MS;
  while ((await delayMs()) < periodMs) {
    if (performance.now() > end) {
      logger.warn({ periodMs }, "logind waits for a shorter time than pods may take to end");
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, TRY_MS));
  }
}

async function delayMs(): Promise<number> {
  const args = ["--system", "--json=short", "get-property", ...LOGIND, "InhibitDelayMaxUSec"];
  const { exitCode, stdout, stderr } = await realProcessRunner.run("busctl", args);
  if (exitCode !== 0) throw new Error(`logind does not tell how long it waits: ${stderr.trim()}`);
  return Number((JSON.parse(stdout) as { readonly data?: unknown }).data) / 1000;
}
