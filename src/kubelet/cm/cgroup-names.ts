import type { QosClass } from "./quality-of-service.ts";

/** Where a cgroup is, from the root: `["kubepods", "burstable", "pod<uid>"]`. */
export type CgroupName = readonly string[];

/** The cgroup of all pods. */
export const PODS_CGROUP = "kubepods";
/** Those of classes below it; pods with guarantees are directly below it. */
const CLASSES: Readonly<Record<QosClass, readonly string[]>> = {
  Guaranteed: [],
  Burstable: ["burstable"],
  BestEffort: ["besteffort"],
};
/** The classes that have cgroups of their own. */
export const QOS_CGROUPS = ["burstable", "besteffort"] as const;
const POD_PREFIX = "pod";

/** The cgroup of a class of pods. */
export function qosCgroup(root: CgroupName, qos: QosClass): CgroupName {
  return [...root, PODS_CGROUP, ...CLASSES[qos]];
}

/** The cgroup of a pod. */
export function podCgroup(root: CgroupName, qos: QosClass, uid: string): CgroupName {
  return [...qosCgroup(root, qos), `${POD_PREFIX}${uid}`];
}

/** The uid of the pod whose cgroup is called so; undefined for other cgroups. */
export function podUidOf(part: string): string | undefined {
  return part.startsWith(POD_PREFIX) && part.length > POD_PREFIX.length ? part.slice(POD_PREFIX.length) : undefined;
}

/** The parts of a path such as `--cgroup-root=/a/b`, or of a slice of systemd. */
export function parseCgroupName(text: string): CgroupName {
  if (!text.endsWith(".slice")) return text.split("/").filter((part) => part !== "");
  const last = text.split("/").at(-1) ?? "";
  return last === "-.slice" ? [] : last.slice(0, -".slice".length).split("-").map(unescaped);
}

/** As files are named: `/kubepods/burstable/pod<uid>`. */
export function cgroupfsPath(name: CgroupName): string {
  return `/${name.join("/")}`;
}

/** As systemd names it: `kubepods-burstable-pod<uid with _>.slice`. Dashes part the levels, so those in names are written as `_`. */
export function systemdSlice(name: CgroupName): string {
  return name.length === 0 ? "-.slice" : `${name.map(escaped).join("-")}.slice`;
}

/** Where files of a slice are: a folder for each level. */
export function systemdPath(name: CgroupName): string {
  return name.map((_, at) => `/${systemdSlice(name.slice(0, at + 1))}`).join("") || "/";
}

function escaped(part: string): string {
  return part.replaceAll("-", "_");
}

function unescaped(part: string): string {
  return part.replaceAll("_", "-");
}
