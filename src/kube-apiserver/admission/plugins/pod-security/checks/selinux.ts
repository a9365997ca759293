import type { SELinuxOptions } from "#api/generated/core/v1.ts";
import { type Check, type CheckPod, containersOf, namesWhere, plural, quoted, setters, sorted } from "../check.ts";

const TYPES_1_0: ReadonlySet<string> = new Set(["", "container_t", "container_init_t", "container_kvm_t"]);
const TYPES_1_31: ReadonlySet<string> = new Set([...TYPES_1_0, "container_engine_t"]);

/** SELinux types are those of containers; user and role are not chosen. */
export const seLinuxOptions: Check = {
  id: "seLinuxOptions",
  level: "baseline",
  versions: [
    { since: 0, check: onlyTypes(TYPES_1_0) },
    { since: 31, check: onlyTypes(TYPES_1_31) },
  ],
};

function onlyTypes(allowed: ReadonlySet<string>): CheckPod {
  const isBad = (options: SELinuxOptions | undefined): options is SELinuxOptions =>
    options !== undefined && (!allowed.has(options.type ?? "") || Boolean(options.user) || Boolean(options.role));
  return ({ spec }) => {
    const ofPod = spec.securityContext?.seLinuxOptions;
    const who = setters(
      isBad(ofPod),
      namesWhere(spec, ({ securityContext }) => isBad(securityContext?.seLinuxOptions)),
    );
    if (who.length === 0) return undefined;
    const bad = [ofPod, ...containersOf(spec).map(({ securityContext }) => securityContext?.seLinuxOptions)].filter(isBad);
    const types = sorted(bad.map(({ type }) => type ?? "").filter((type) => !allowed.has(type)));
    const data: string[] = [];
    if (types.length > 0) data.push(`${plural("type", "types", types.length)} ${quoted(types)}`);
    if (bad.some(({ user }) => Boolean(user))) data.push("user may not be set");
    if (bad.some(({ role }) => Boolean(role))) data.push("role may not be set");
    return {
      reason: "seLinuxOptions",
      detail: `${who.join(" and ")} set forbidden securityContext.seLinuxOptions: ${data.join("; ")}`,
    };
  };
}
