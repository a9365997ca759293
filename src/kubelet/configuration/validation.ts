import { parseGoDuration } from "#apimachinery/go-duration.ts";
import { parseQuantity, quantitySign } from "#apimachinery/resource/quantity.ts";
import { goQuote } from "#apimachinery/validation/field-error.ts";
import type { KubeletConfiguration } from "./kubelet-configuration.ts";

type Configuration = KubeletConfiguration;
/** A rule: what is wrong, in upstream's words behind `invalid configuration: `; none when it is kept. */
type Rule = (configuration: Configuration) => readonly string[];

const PORT_MAX = 65_535;

/** A number that may not leave its bounds. `flag` is named beside the field, as upstream does. */
function within(field: keyof Configuration, flag: string, low: number, high: number): Rule {
  return (configuration) => {
    const value = Number(configuration[field] ?? 0);
    return value >= low && value <= high ? [] : [`${field} (--${flag}) ${value} must be between ${low} and ${high}, inclusive`];
  };
}

/** A number that may not be below zero. */
function notNegative(field: keyof Configuration, flag: string): Rule {
  return (configuration) => {
    const value = Number(configuration[field] ?? 0);
    return value >= 0 ? [] : [`${field} (--${flag}) ${value} must not be a negative number`];
  };
}

function when(isWrong: boolean, message: string): readonly string[] {
  return isWrong ? [message] : [];
}

const NUMBERS: readonly Rule[] = [
  ({ nodeLeaseDurationSeconds }) => when(nodeLeaseDurationSeconds <= 0, "nodeLeaseDurationSeconds must be greater than 0"),
  notNegative("eventBurst", "event-burst"),
  notNegative("eventRecordQPS", "event-qps"),
  ({ healthzPort }) =>
    when(
      healthzPort < 0 || healthzPort > PORT_MAX,
      `healthzPort (--healthz-port) ${healthzPort} must be between 1 and 65535, inclusive`,
    ),
  within("imageGCHighThresholdPercent", "image-gc-high-threshold", 0, 100),
  within("imageGCLowThresholdPercent", "image-gc-low-threshold", 0, 100),
  ({ imageGCLowThresholdPercent: low, imageGCHighThresholdPercent: high }) =>
    when(
      low >= high,
      `imageGCLowThresholdPercent (--image-gc-low-threshold) ${low} must be less than imageGCHighThresholdPercent (--image-gc-high-threshold) ${high}`,
    ),
  within("iptablesDropBit", "iptables-drop-bit", 0, 31),
  within("iptablesMasqueradeBit", "iptables-masquerade-bit", 0, 31),
  notNegative("kubeAPIBurst", "kube-api-burst"),
  notNegative("kubeAPIQPS", "kube-api-qps"),
  ({ nodeStatusMaxImages: images }) =>
    when(images < -1, `nodeStatusMaxImages (--node-status-max-images) ${images} must be -1 or greater`),
  notNegative("maxOpenFiles", "max-open-files"),
  notNegative("maxPods", "max-pods"),
  within("oomScoreAdj", "oom-score-adj", -1000, 1000),
  notNegative("podsPerCore", "pods-per-core"),
  within("port", "port", 1, PORT_MAX),
  within("readOnlyPort", "read-only-port", 0, PORT_MAX),
  notNegative("registryBurst", "registry-burst"),
  notNegative("registryPullQPS", "registry-qps"),
  ({ memoryThrottlingFactor: factor }) =>
    when(factor <= 0 || factor > 1, `memoryThrottlingFactor ${factor} must be greater than 0 and less than or equal to 1.0`),
  ({ containerLogMaxWorkers }) => when(containerLogMaxWorkers < 1, "containerLogMaxWorkers must be greater than or equal to 1"),
  ({ containerLogMaxFiles }) => when(containerLogMaxFiles <= 1, "containerLogMaxFiles must be greater than 1"),
];

const IMAGE_PULLS: readonly Rule[] = [
  ({ maxParallelImagePulls: most }) =>
    when(most !== undefined && most < 1, `maxParallelImagePulls ${most} must be a positive number`),
  ({ maxParallelImagePulls: most = 0, serializeImagePulls }) =>
    when(
      serializeImagePulls && most > 1,
      "maxParallelImagePulls cannot be larger than 1 unless SerializeImagePulls (--serialize-image-pulls) is set to false",
    ),
  ({ imageMinimumGCAge: minimum, imageMaximumGCAge: maximum = "0s" }) => [
    ...when(ms(minimum) < 0, `imageMinimumGCAge ${minimum} must not be negative`),
    ...when(ms(maximum) < 0, `imageMaximumGCAge ${maximum} must not be negative`),
    ...when(
      ms(maximum) > 0 && ms(maximum) <= ms(minimum),
      `imageMaximumGCAge ${maximum} must be greater than imageMinimumGCAge ${minimum}`,
    ),
  ],
  oneOf("imagePullCredentialsVerificationPolicy", "", [
    "NeverVerify",
    "NeverVerifyPreloadedImages",
    "NeverVerifyAllowlistedImages",
    "AlwaysVerify",
  ]),
];

const TIMES: readonly Rule[] = [
  ({ cpuCFSQuotaPeriod: period }) =>
    when(
      ms(period) < 1 || ms(period) > 1000,
      `cpuCFSQuotaPeriod (--cpu-cfs-quota-period) {${period}} must be between 1ms and 1sec, inclusive`,
    ),
  ({ containerLogMonitorInterval }) =>
    when(
      ms(containerLogMonitorInterval) < 3000,
      "containerLogMonitorInterval must be a positive time duration greater than or equal to 3s",
    ),
  ({ shutdownGracePeriod: all, shutdownGracePeriodCriticalPods: critical }) => [
    ...when(ms(critical) > ms(all), `shutdownGracePeriodCriticalPods {${critical}} must be <= shutdownGracePeriod {${all}}`),
    ...when(isBelowASecond(all), `shutdownGracePeriod {${all}} must be either zero or otherwise >= 1 sec`),
    ...when(isBelowASecond(critical), `shutdownGracePeriodCriticalPods {${critical}} must be either zero or otherwise >= 1 sec`),
  ],
  ({ shutdownGracePeriodByPodPriority: byPriority = [], shutdownGracePeriod, shutdownGracePeriodCriticalPods }) =>
    when(
      byPriority.length > 0 && ms(shutdownGracePeriod) + ms(shutdownGracePeriodCriticalPods) > 0,
      "Cannot specify both shutdownGracePeriodByPodPriority and shutdownGracePeriod at the same time",
    ),
  ({ crashLoopBackOff: { maxContainerRestartPeriod: most } }) =>
    when(
      most !== undefined && (ms(most) < 1000 || ms(most) > 300_000),
      `CrashLoopBackOff.MaxContainerRestartPeriod (got: ${ms(most ?? "0") / 1000} seconds) must be set between 1s and 300s`,
    ),
];

const CGROUPS: readonly Rule[] = [
  ({ systemCgroups = "", cgroupRoot = "" }) =>
    when(
      systemCgroups !== "" && cgroupRoot === "",
      "systemCgroups (--system-cgroups) was specified and cgroupRoot (--cgroup-root) was not specified",
    ),
  enforcement,
  ({ reservedSystemCPUs = "", systemReservedCgroup = "", kubeReservedCgroup = "" }) =>
    when(
      reservedSystemCPUs !== "" && systemReservedCgroup + kubeReservedCgroup !== "",
      "can't use reservedSystemCPUs (--reserved-cpus) with systemReservedCgroup (--system-reserved-cgroup) or kubeReservedCgroup (--kube-reserved-cgroup)",
    ),
  ({ memorySwap: { swapBehavior = "" } }) =>
    when(
      !["", "LimitedSwap", "NoSwap"].includes(swapBehavior),
      `memorySwap.swapBehavior ${goQuote(swapBehavior)} must be one of: "", "LimitedSwap" or "NoSwap"`,
    ),
];

const POLICIES: readonly Rule[] = [
  ({ topologyManagerPolicy: policy }) => {
    const known = ["none", "best-effort", "restricted", "single-numa-node"];
    const all = known.map((name) => `"${name}"`).join(" ");
    return when(
      !known.includes(policy),
      `topologyManagerPolicy (--topology-manager-policy) ${goQuote(policy)} must be one of: [${all}]`,
    );
  },
  ({ topologyManagerScope: scope }) =>
    when(
      scope !== "container" && scope !== "pod",
      `topologyManagerScope (--topology-manager-scope) ${goQuote(scope)} must be one of: "container", or "pod"`,
    ),
  oneOf("hairpinMode", " (--hairpin-mode)", ["none", "hairpin-veth", "promiscuous-bridge"]),
  oneOf("memoryReservationPolicy", "", ["None", "TieredReservation"]),
  ({ runOnce = false }) => when(runOnce, "runOnce (--runOnce) true, Runonce mode has been deprecated and should not be set"),
  ({ registerWithTaints = [] }) =>
    when(
      registerWithTaints.some(({ timeAdded }) => timeAdded !== undefined),
      "taint.TimeAdded is not nil",
    ),
  ({ enableSystemLogQuery = false, enableSystemLogHandler }) =>
    when(enableSystemLogQuery && !enableSystemLogHandler, "enableSystemLogHandler is required for enableSystemLogQuery"),
  ({ podLogsDir: dir }) => [
    ...when(!dir.startsWith("/"), `pod logs path ${goQuote(dir)} must be absolute path`),
    ...when(/\/\/|\/\.\.?(\/|$)|.\/$/.test(dir), `pod logs path ${goQuote(dir)} must be normalized`),
    // Upstream's spelling.
    ...when(!isAscii(dir), `pod logs path ${goQuote(dir)} mut contains ASCII characters only`),
  ],
];

const ALL: readonly Rule[] = [...NUMBERS, ...IMAGE_PULLS, ...TIMES, ...CGROUPS, ...POLICIES];

/** What is wrong with a configuration, as upstream's `ValidateKubeletConfiguration` says it; none when nothing is. */
export function validateConfiguration(configuration: Configuration): readonly string[] {
  return [
    ...ALL.flatMap((rule) => rule(configuration)).map((problem) => `invalid configuration: ${problem}`),
    ...taints(configuration),
    ...enumerations(configuration),
    ...reserved(configuration),
  ];
}

const ENFORCEMENTS = [
  "pods",
  "system-reserved",
  "system-reserved-compressible",
  "kube-reserved",
  "kube-reserved-compressible",
  "none",
];

function enforcement({
  enforceNodeAllocatable: all,
  systemReservedCgroup = "",
  kubeReservedCgroup = "",
  cgroupsPerQOS,
}: Configuration): readonly string[] {
  const where = "enforceNodeAllocatable (--enforce-node-allocatable)";
  const both = ["system-reserved", "kube-reserved"].flatMap((name) =>
    when(
      all.includes(name) && all.includes(`${name}-compressible`),
      `both "${name}" and "${name}-compressible" cannot be specified together in ${where}`,
    ),
  );
  const each = all.flatMap((name, i) => {
    if (all.indexOf(name) !== i) return [`duplicated enforcements ${goQuote(name)} in ${where}`];
    if (name === "none") return when(all.length > 1, `${where} may not contain additional enforcements when "none" is specified`);
    if (!ENFORCEMENTS.includes(name)) {
      const options = ENFORCEMENTS.slice(0, -1).map((known) => `"${known}"`);
      return [`option ${goQuote(name)} specified for ${where}. Valid options are ${options.join(", ")} or "none"`];
    }
    const needs = (kind: string, cgroup: string): readonly string[] =>
      when(
        name.startsWith(`${kind}-reserved`) && cgroup === "",
        `${kind}ReservedCgroup (--${kind}-reserved-cgroup) must be specified when "${kind}-reserved" or "${kind}-reserved-compressible" included in ${where}`,
      );
    return [
      ...needs("system", systemReservedCgroup),
      ...needs("kube", kubeReservedCgroup),
      ...when(
        !cgroupsPerQOS,
        `cgroupsPerQOS (--cgroups-per-qos) must be set to true when ${goQuote(name)} contained in ${where}`,
      ),
    ];
  });
  return [...both, ...each];
}

const TAINT_EFFECTS = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

function taints({ registerWithTaints = [] }: Configuration): readonly string[] {
  return registerWithTaints
    .filter(({ key, effect }) => key === "" || key === undefined || !TAINT_EFFECTS.includes(effect ?? ""))
    .map(({ key = "", value = "", effect = "" }) => `invalid taint: {${key} ${value} ${effect} <nil>}`);
}

/** What upstream finds only when it starts with such a value. */
function enumerations({ authorization, cgroupDriver }: Configuration): readonly string[] {
  return [
    ...when(
      authorization.mode !== "Webhook" && authorization.mode !== "AlwaysAllow",
      `unknown authorization mode ${authorization.mode}`,
    ),
    ...when(
      cgroupDriver !== "cgroupfs" && cgroupDriver !== "systemd",
      `invalid configuration: cgroupDriver (--cgroup-driver) ${goQuote(cgroupDriver)} must be one of: "cgroupfs", or "systemd"`,
    ),
  ];
}

/** Resources of which some can be kept back (upstream's `parseResourceList`). */
const RESERVABLE = ["cpu", "memory", "ephemeral-storage", "pid"];

function reserved({ kubeReserved = {}, systemReserved = {} }: Configuration): readonly string[] {
  const problems = (flag: string, amounts: Readonly<Record<string, string>>): readonly string[] =>
    Object.entries(amounts).flatMap(([name, amount]) => {
      const failed = (why: string): readonly string[] => [`--${flag} value failed to parse: ${why}`];
      if (!RESERVABLE.includes(name)) return failed(`cannot reserve ${goQuote(name)} resource`);
      try {
        const isNegative = quantitySign(parseQuantity(amount)) < 0;
        return isNegative ? failed(`resource quantity for ${goQuote(name)} cannot be negative: ${amount}`) : [];
      } catch (error) {
        return failed(`failed to parse quantity ${goQuote(amount)} for ${goQuote(name)} resource: ${(error as Error).message}`);
      }
    });
  return [...problems("kube-reserved", kubeReserved), ...problems("system-reserved", systemReserved)];
}

function oneOf(field: keyof Configuration, flag: string, known: readonly string[]): Rule {
  return (configuration) => {
    const value = String(configuration[field] ?? "");
    const quoted = known.map((name) => `"${name}"`);
    const options = `${quoted.slice(0, -1).join(", ")} or ${quoted.at(-1)}`;
    return when(!known.includes(value), `option ${goQuote(value)} specified for ${field}${flag}. Valid options are ${options}`);
  };
}

function isAscii(text: string): boolean {
  return [...text].every((letter) => (letter.codePointAt(0) ?? 0) < 128);
}

function isBelowASecond(period: string): boolean {
  return ms(period) < 0 || (ms(period) > 0 && ms(period) < 1000);
}

function ms(duration: string): number {
  return parseGoDuration(duration);
}
