import type { Pod } from "#api/generated/core/v1.ts";
import type { SecurityModules } from "../pod-worker-modules.ts";
import type { SandboxSecuritySettings } from "./security-context.ts";

/** What of a node counts for who the sandbox of a pod is, and its containers. */
export function sandboxSecurityOf({ userNamespaceOf, extraGroupsOf }: SecurityModules, pod: Pod): SandboxSecuritySettings {
  const userNamespace = userNamespaceOf?.(pod);
  const extraGroups = extraGroupsOf?.(pod) ?? [];
  return {
    ...(userNamespace === undefined ? {} : { userNamespace }),
    ...(extraGroups.length === 0 ? {} : { extraGroups }),
  };
}
