import { type FieldError, invalid } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";

/** How much is allowed: everything, what is known to be harmless to the host, or what is considered good practice. */
export type Level = "privileged" | "baseline" | "restricted";
/** Whose idea of a level holds: that of `v1.x`, or the newest. */
export type Version = number | "latest";

export interface LevelVersion {
  readonly level: Level;
  readonly version: Version;
}

/** What a namespace wants of its pods: what is refused, what is recorded, and what is warned of (KEP-2579). */
export interface Policy {
  readonly enforce: LevelVersion;
  readonly audit: LevelVersion;
  readonly warn: LevelVersion;
}

const PREFIX = "pod-security.kubernetes.io/";
const LEVELS: readonly string[] = ["privileged", "baseline", "restricted"];
const VERSION = /^v1\.(0|[1-9][0-9]*)$/;
const INT64_MAX = 2n ** 63n - 1n;

/** What holds where labels say nothing: upstream's defaults without a configuration. */
export const DEFAULT_POLICY: Policy = {
  enforce: { level: "privileged", version: "latest" },
  audit: { level: "privileged", version: "latest" },
  warn: { level: "privileged", version: "latest" },
};

/** `restricted:v1.30`. */
export function levelVersionText({ level, version }: LevelVersion): string {
  return `${level}:${version === "latest" ? version : `v1.${version}`}`;
}

/** Whether both are the same. */
export function sameLevelVersion(a: LevelVersion, b: LevelVersion): boolean {
  return a.level === b.level && a.version === b.version;
}

/** Whether `a` allows less than `b`. */
export function isStricter(a: Level, b: Level): boolean {
  return LEVELS.indexOf(a) > LEVELS.indexOf(b);
}

/** Whether nothing is refused, recorded or warned of. */
export function isFullyPrivileged({ enforce, audit, warn }: Policy): boolean {
  return [enforce, audit, warn].every(({ level }) => level === "privileged");
}

/** Whether two policies ask the same: everything allowed is so in every version. */
export function equivalentPolicies(a: Policy, b: Policy): boolean {
  return (["enforce", "audit", "warn"] as const).every((mode) => {
    if (a[mode].level === "privileged" && b[mode].level === "privileged") return true;
    return sameLevelVersion(a[mode], b[mode]);
  });
}

/**
 * A namespace's policy. What its labels say wrongly is told, and then means the strictest for `enforce` and nothing for
 * `audit` and `warn`. Who enforces without a word on warnings is warned of the same: only templates show it.
 */
export function policyOf(
  labels: Readonly<Record<string, string>> | undefined,
  defaults: Policy,
): { readonly policy: Policy; readonly errors: FieldError[] } {
  const errors: FieldError[] = [];
  const level = (mode: string, fallback: Level, otherwise: Level): Level => {
    const label = labels?.[PREFIX + mode];
    if (label === undefined) return fallback;
    if (LEVELS.includes(label)) return label as Level;
    errors.push(invalid(labelPath(mode), label, `must be one of ${LEVELS.join(", ")}`));
    return otherwise;
  };
  const version = (mode: string, fallback: Version): Version => {
    const label = labels?.[`${PREFIX}${mode}-version`];
    if (label === undefined) return fallback;
    const parsed = parseVersion(label);
    if (parsed === undefined) errors.push(invalid(labelPath(`${mode}-version`), label, 'must be "latest" or "v1.x"'));
    return parsed ?? "latest";
  };
  const modeOf = (mode: "enforce" | "audit" | "warn", otherwise: Level): LevelVersion => ({
    level: level(mode, defaults[mode].level, otherwise),
    version: version(mode, defaults[mode].version),
  });
  const enforce = modeOf("enforce", "restricted");
  const enforceGiven = LEVELS.includes(labels?.[`${PREFIX}enforce`] ?? "");
  const audit = modeOf("audit", "privileged");
  let warn = modeOf("warn", "privileged");
  if (labels?.[`${PREFIX}warn`] === undefined && enforceGiven && isStricter(enforce.level, warn.level)) {
    const given = labels?.[`${PREFIX}warn-version`] !== undefined;
    warn = { level: enforce.level, version: given ? warn.version : enforce.version };
  }
  return { policy: { enforce, audit, warn }, errors };
}

/** The modes that the labels speak of and that ask for something, as `enforce=restricted:latest, warn=...`. */
export function statedPolicyText(labels: Readonly<Record<string, string>> | undefined, policy: Policy): string {
  const stated = (["enforce", "audit", "warn"] as const).filter((mode) => {
    if (policy[mode].level === "privileged") return false;
    return labels?.[PREFIX + mode] !== undefined || labels?.[`${PREFIX}${mode}-version`] !== undefined;
  });
  return stated.map((mode) => `${mode}=${levelVersionText(policy[mode])}`).join(", ");
}

function parseVersion(text: string): Version | undefined {
  if (text === "latest") return text;
  const minor = VERSION.exec(text)?.[1];
  return minor === undefined || BigInt(minor) > INT64_MAX ? undefined : Number(minor);
}

function labelPath(name: string): FieldPath {
  return FieldPath.of("metadata", "labels").key(PREFIX + name);
}
