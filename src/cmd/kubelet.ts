import { acquireFileLock, FileLockHeldError } from "#base/file-lock.ts";
import { describeFlags, parseFlags } from "#component-base/flags.ts";
import { givenFlags } from "./flags/flag-specs.ts";
import { sayFormerFlags } from "./flags/former-flags.ts";
import { loggerOf } from "./flags/log-flags.ts";
import { formerKubeletFlags, type KubeletFlags, kubeletFlags } from "./kubelet/flags.ts";
import { startKubelet } from "./kubelet/start.ts";
import { notifyReady } from "./notify-ready.ts";
import type { ProgramCall } from "./program-call.ts";
import { untilInterrupted } from "./signals.ts";
import { explainStartFailure, StartupError } from "./startup-error.ts";
import { printVersion } from "./version.ts";

const ABOUT = `The node agent: runs the pods of an API server and of manifests on this machine, by its container runtime.

Usage: kybern kubelet --kubeconfig=FILE [flags]

`;

/** `kybern kubelet`: the node agent of this machine. Runs until interrupted, and leaves pods running. */
export async function kubelet({ args, isHyperkube }: ProgramCall): Promise<void> {
  const flags = parseFlags(kubeletFlags, args) as KubeletFlags & Readonly<Record<string, unknown>>;
  if (flags.help) {
    process.stdout.write(`${ABOUT}${describeFlags(kubeletFlags)}\n`);
    return;
  }
  if (flags.version) {
    printVersion();
    return;
  }
  const given = givenFlags(args);
  const logger = loggerOf("kubelet", flags);
  sayFormerFlags(formerKubeletFlags, given, logger);
  if (process.getuid?.() !== 0) logger.warn({}, "the kubelet does not run as root: it may do little");
  const interrupted = untilInterrupted();
  const stopping = new AbortController();
  void interrupted.then(() => stopping.abort(new Error("the kubelet is stopping")));
  const explain = (error: unknown): never => explained(error, flags);
  const lock = flags["lock-file"] === "" ? undefined : await acquireFileLock(flags["lock-file"]).catch(explain);
  try {
    // Guides of former years name the API server so, and expect what was open unasked then.
    const isFormer = isHyperkube || given.has("api-servers");
    const running = await startKubelet({ flags, given, isFormer, logger, signal: stopping.signal, ownsProcess: true }).catch(
      (error: unknown) => {
        if (stopping.signal.aborted) return undefined;
        return explain(error);
      },
    );
    if (running === undefined) return;
    await notifyReady(logger);
    await interrupted;
    logger.info({}, "the kubelet stops; pods go on");
    await running.close();
  } finally {
    await lock?.release();
  }
}

function explained(error: unknown, flags: KubeletFlags): never {
  if (error instanceof FileLockHeldError) throw new StartupError(`another kubelet runs: ${error.message}`);
  const dir = { dataDir: flags["root-dir"], dirFlag: "--root-dir" };
  return explainStartFailure(error, { ...dir, etcdServers: [], address: "", port: 0 });
}
