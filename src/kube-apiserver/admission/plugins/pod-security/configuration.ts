import { DEFAULT_POLICY, type Policy } from "./policy.ts";

/** Upstream's `PodSecurityConfiguration`: what holds where labels say nothing, and whom it does not concern. */
export interface PodSecurityConfiguration {
  readonly defaults: Policy;
  readonly exemptions: {
    readonly usernames: readonly string[];
    readonly runtimeClasses: readonly string[];
    readonly namespaces: readonly string[];
  };
}

/** Without `--admission-control-config-file`. */
export const DEFAULT_POD_SECURITY_CONFIGURATION: PodSecurityConfiguration = {
  defaults: DEFAULT_POLICY,
  exemptions: { usernames: [], runtimeClasses: [], namespaces: [] },
};
