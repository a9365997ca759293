import type { Pod } from "#api/generated/core/v1.ts";
import { forbidden } from "#apimachinery/api-errors/errors.ts";
import type { AdmissionPluginFactory } from "#apiserver/admission/admission.ts";

/** Pods say nothing of users, groups and SELinux. Upstream had it until v1.29; guides of former years name it. */
export const securityContextDeny: AdmissionPluginFactory = () => ({
  name: "SecurityContextDeny",
  validate: ({ operation, group, resource, subresource, object }) => {
    if (group !== "" || resource !== "pods" || subresource !== "" || (operation !== "CREATE" && operation !== "UPDATE")) return;
    const pod = object as unknown as Pod;
    const field = forbiddenField(pod);
    if (field !== undefined) throw forbidden({ group, resource }, pod.metadata?.name ?? "", `${field} is forbidden`);
  },
});

function forbiddenField({ spec }: Pod): string | undefined {
  const context = spec?.securityContext;
  if ((context?.supplementalGroups ?? []).length > 0) return "pod.Spec.SecurityContext.SupplementalGroups";
  if (context?.seLinuxOptions !== undefined) return "pod.Spec.SecurityContext.SELinuxOptions";
  if (context?.runAsUser !== undefined) return "pod.Spec.SecurityContext.RunAsUser";
  if (context?.fsGroup !== undefined) return "pod.Spec.SecurityContext.FSGroup";
  for (const { securityContext } of [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])]) {
    if (securityContext?.seLinuxOptions !== undefined) return "SecurityContext.SELinuxOptions";
    if (securityContext?.runAsUser !== undefined) return "SecurityContext.RunAsUser";
  }
  return undefined;
}
