import type { Service } from "#api/generated/core/v1.ts";
import { type AdmissionPluginFactory, admissionForbidden } from "#apiserver/admission/admission.ts";

/** Services get no new external addresses: who may make a Service could take other people's traffic by them (CVE-2020-8554). */
export const denyServiceExternalIps: AdmissionPluginFactory = () => ({
  name: "DenyServiceExternalIPs",
  validate: (attributes) => {
    const { operation, group, resource, subresource, object, oldObject } = attributes;
    if (group !== "" || resource !== "services" || subresource !== "") return;
    if (operation !== "CREATE" && operation !== "UPDATE") return;
    const before = new Set((oldObject as unknown as Service | undefined)?.spec?.externalIPs ?? []);
    const added = ((object as unknown as Service).spec?.externalIPs ?? []).some((ip) => !before.has(ip));
    if (added) throw admissionForbidden(attributes, "Use of external IPs is denied by admission control.");
  },
});
