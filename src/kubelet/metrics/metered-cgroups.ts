import type { Clock } from "#base/clock.ts";
import type { CgroupDriver } from "../cm/cgroup-driver.ts";
import type { CgroupName } from "../cm/cgroup-names.ts";
import type { KubeletMetrics } from "./kubelet-metrics.ts";

/** Cgroups that are remembered as made: of pods that are gone they are forgotten. */
const KNOWN_MAX = 10_000;

/** The same cgroups, whose changes are counted (upstream's `cgroupManagerImpl`). */
export function meteredCgroups(driver: CgroupDriver, metrics: Pick<KubeletMetrics, "cgroup">, clock: Clock): CgroupDriver {
  const known = new Set<string>();
  const timed = async (operation: "create" | "update" | "destroy", act: () => Promise<void>): Promise<void> => {
    const beganMs = clock.elapsed();
    try {
      await act();
    } finally {
      metrics.cgroup(operation, (clock.elapsed() - beganMs) / 1000);
    }
  };
  const keyOf = (name: CgroupName): string => name.join("/");
  return {
    exists: (name) => driver.exists(name),
    children: (name) => driver.children(name),
    parentText: (name) => driver.parentText(name),
    apply: (name, settings) => {
      const key = keyOf(name);
      const operation = known.has(key) ? "update" : "create";
      if (known.size < KNOWN_MAX) known.add(key);
      return timed(operation, () => driver.apply(name, settings));
    },
    remove: (name) => {
      known.delete(keyOf(name));
      return timed("destroy", () => driver.remove(name));
    },
  };
}
