import type { ProcessRunner } from "#base/process-runner.ts";

/** What `blkid` ends with when there is nothing on a device. */
const NOTHING_FOUND = 2;
/** What `fsck` ends with when it corrected something, and when it could not. */
const CORRECTED = 1;
const UNCORRECTED = 4;
/** More than asked for, by what makes a file system. */
const MAKE_OPTIONS: Readonly<Record<string, readonly string[]>> = { ext3: ["-F", "-m0"], ext4: ["-F", "-m0"], xfs: ["-f"] };

/** A device whose file system is to be used. */
export interface DeviceRequest {
  readonly device: string;
  readonly type: string;
  readonly readOnly: boolean;
}

/** Makes a file system on a device that has nothing on it, and checks the one of another (upstream's `SafeFormatAndMount`). */
export async function formatDevice(runner: ProcessRunner, { device, type, readOnly }: DeviceRequest): Promise<void> {
  if (!(await hasFileSystem(runner, device))) {
    if (readOnly) throw new Error("cannot mount unformatted disk as we are manipulating it in read-only mode");
    const args = [...(MAKE_OPTIONS[type] ?? []), device];
    const { exitCode, stdout, stderr } = await runner.run(`mkfs.${type}`, args);
    if (exitCode === 0) return;
    throw new Error(
      `format of disk "${device}" failed: type:("${type}") errcode:(exit status ${exitCode}) output:(${stdout}${stderr})`,
    );
  }
  if (readOnly) return;
  // Not every machine has it; a file system that cannot be checked is mounted as it is.
  const checked = await runner.run("fsck", ["-a", device]).catch(() => undefined);
  if (checked === undefined || checked.exitCode <= CORRECTED || checked.exitCode !== UNCORRECTED) return;
  throw new Error(`'fsck' found errors on device ${device} but could not correct them: ${checked.stdout}.`);
}

async function hasFileSystem(runner: ProcessRunner, device: string): Promise<boolean> {
  const { exitCode, stdout, stderr } = await runner.run("blkid", ["-p", "-s", "TYPE", "-s", "PTTYPE", "-o", "export", device]);
  if (exitCode === NOTHING_FOUND) return false;
  if (exitCode !== 0)
    throw new Error(`could not determine if disk "${device}" is formatted (exit status ${exitCode}): ${stderr}`);
  if (/^TYPE=/m.test(stdout)) return true;
  if (!/^PTTYPE=/m.test(stdout)) return false;
  throw new Error(`failed to mount the volume as "${device}": unknown data, probably partitions`);
}
