import type { ProcessRunner } from "#base/process-runner.ts";
import { type CgroupDriver, CgroupError } from "./cgroup-driver.ts";
import { type CgroupName, cgroupfsPath, parseCgroupName, systemdPath, systemdSlice } from "./cgroup-names.ts";
import { systemdProperties } from "./cgroup-settings.ts";
import type { CgroupTree } from "./cgroup-tree.ts";

const SYSTEMD = ["org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager"];

/** Cgroups that the kubelet makes itself. */
export function cgroupfsDriver(tree: CgroupTree): CgroupDriver {
  return {
    apply: (name, settings) => tree.apply(cgroupfsPath(name), settings),
    remove: (name) => tree.remove(cgroupfsPath(name)),
    exists: (name) => tree.exists(cgroupfsPath(name)),
    children: (name) => tree.children(cgroupfsPath(name)),
    parentText: cgroupfsPath,
  };
}

/** Cgroups that systemd makes, as slices; it would undo what others write. */
export function systemdDriver(tree: CgroupTree, runner: ProcessRunner): CgroupDriver {
  const run = async (command: string, args: readonly string[]): Promise<void> => {
    const { exitCode, stderr } = await runner.run(command, args).catch((error: unknown) => {
      const hint = "the systemd cgroup driver needs systemd: use --cgroup-driver=cgroupfs where there is none";
      throw new CgroupError(`${command}: ${error instanceof Error ? error.message : String(error)}; ${hint}`, { cause: error });
    });
    if (exitCode !== 0) throw new CgroupError(`${command} ${args.join(" ")}: ${stderr.trim()}`);
  };
  const exists = (name: CgroupName): Promise<boolean> => tree.exists(systemdPath(name));
  return {
    async apply(name, settings) {
      const slice = systemdSlice(name);
      if (!(await exists(name))) {
        const isThere = /already exists|was already loaded/;
        await run("busctl", ["call", ...SYSTEMD, "StartTransientUnit", "ssa(sv)a(sa(sv))", slice, "replace", "0", "0"]).catch(
          (error: unknown) => {
            if (!(error instanceof Error) || !isThere.test(error.message)) throw error;
          },
        );
      }
      await run("systemctl", ["set-property", "--runtime", slice, ...systemdProperties(settings)]);
    },
    async remove(name) {
      if (!(await exists(name))) return;
      await run("systemctl", ["stop", systemdSlice(name)]);
    },
    exists,
    children: async (name) => {
      const found = await tree.children(systemdPath(name));
      return found.flatMap((one) => (one.endsWith(".slice") ? (parseCgroupName(one).at(-1) ?? []) : []));
    },
    parentText: systemdSlice,
  };
}
