import { parseGoDuration } from "#apimachinery/go-duration.ts";
import type { KubeletConfiguration } from "../configuration/kubelet-configuration.ts";

/** Pods of at least this priority are critical (upstream's `SystemCriticalPriority`). */
const CRITICAL_PRIORITY = 2_000_000_000;

/** Pods of a range of priorities, and how long they are given to end. */
export interface ShutdownGroup {
  /** The least priority that is in it. */
  readonly priority: number;
  readonly graceSeconds: number;
}

type Settings = Pick<
  KubeletConfiguration,
  "shutdownGracePeriod" | "shutdownGracePeriodCriticalPods" | "shutdownGracePeriodByPodPriority"
>;

/** The groups that end one after the other when the machine goes down, those of the least priority first; none: nothing is ended. */
export function shutdownGroups(settings: Settings): readonly ShutdownGroup[] {
  const { shutdownGracePeriod, shutdownGracePeriodCriticalPods, shutdownGracePeriodByPodPriority = [] } = settings;
  const given = shutdownGracePeriodByPodPriority.map(({ priority, shutdownGracePeriodSeconds }) => ({
    priority,
    graceSeconds: shutdownGracePeriodSeconds,
  }));
  if (given.length > 0) return given.sort((a, b) => a.priority - b.priority);
  const all = Math.floor(parseGoDuration(shutdownGracePeriod) / 1000);
  const critical = Math.floor(parseGoDuration(shutdownGracePeriodCriticalPods) / 1000);
  if (all === 0) return [];
  return [
    { priority: 0, graceSeconds: all - critical },
    { priority: CRITICAL_PRIORITY, graceSeconds: critical },
  ];
}

/** Which group a priority is in: that with the greatest not above it, else the first. */
export function groupOf(groups: readonly ShutdownGroup[], priority: number): ShutdownGroup | undefined {
  return groups.findLast((group) => group.priority <= priority) ?? groups[0];
}
