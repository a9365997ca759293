import { type AdmissionPluginFactory, admissionForbidden } from "#apiserver/admission/admission.ts";

/** Does nothing: what the flags of former years name for that. */
export const alwaysAdmit: AdmissionPluginFactory = () => ({ name: "AlwaysAdmit" });

/** Refuses everything that is written. */
export const alwaysDeny: AdmissionPluginFactory = () => ({
  name: "AlwaysDeny",
  validate: (attributes) => {
    throw admissionForbidden(attributes, "admission control is denying all modifications");
  },
});
