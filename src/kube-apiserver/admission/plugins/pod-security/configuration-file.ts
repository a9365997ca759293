import { ConfigurationError, readConfiguration } from "#apiserver/configuration-file.ts";
import type { PodSecurityConfiguration } from "./configuration.ts";
import { DEFAULT_POLICY, policyOf } from "./policy.ts";

const MODES = ["enforce", "audit", "warn"] as const;
const PREFIX = "pod-security.kubernetes.io/";

/** Reads a `PodSecurityConfiguration`: its defaults are what labels of a namespace would be. Throws {@link ConfigurationError}. */
export function readPodSecurityConfiguration(text: string, path: string): PodSecurityConfiguration {
  const names = MODES.flatMap((mode) => [mode, `${mode}-version`]);
  const { defaults = {}, exemptions = {} } = readConfiguration(text, path, {
    kind: "PodSecurityConfiguration",
    apiVersions: ["v1", "v1beta1", "v1alpha1"].map((version) => `pod-security.admission.config.k8s.io/${version}`),
    fields: {
      defaults: { fields: Object.fromEntries(names.map((name) => [name, "text" as const])) },
      exemptions: { fields: { usernames: "texts", runtimeClasses: "texts", namespaces: "texts" } },
    },
  }) as { defaults?: Record<string, string>; exemptions?: Partial<PodSecurityConfiguration["exemptions"]> };
  // A mode that is not named is off; labels would let it follow another one.
  const off = Object.fromEntries(MODES.map((mode) => [mode, "privileged"]));
  const stated = Object.entries({ ...off, ...defaults });
  const { policy, errors } = policyOf(
    Object.fromEntries(stated.map(([name, value]) => [`${PREFIX}${name}`, value])),
    DEFAULT_POLICY,
  );
  const [first] = errors;
  if (first !== undefined) throw new ConfigurationError(`${path}: defaults: ${first.message}`);
  const { usernames = [], runtimeClasses = [], namespaces = [] } = exemptions;
  return { defaults: policy, exemptions: { usernames, runtimeClasses, namespaces } };
}
