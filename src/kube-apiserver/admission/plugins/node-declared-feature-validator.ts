import { type AdmissionPluginFactory, admissionForbidden } from "#apiserver/admission/admission.ts";
import { featuresOfUpdate, missingFeatures } from "#component-helpers/node/declared-features.ts";
import { boundPodUpdate, nodeOfPod } from "./bound-pod-update.ts";

/** Refuses changes of a pod that its node does not say that it can carry out (KEP-5328). */
export const nodeDeclaredFeatureValidator: AdmissionPluginFactory = ({ stores }) => ({
  name: "NodeDeclaredFeatureValidator",
  validate: (attributes) => {
    const update = boundPodUpdate(attributes, ["", "resize"]);
    if (update === undefined) return;
    const needed = featuresOfUpdate(update.before, update.after);
    if (needed.length === 0) return;
    const missing = missingFeatures(needed, nodeOfPod(stores, attributes, update.nodeName));
    if (missing.length === 0) return;
    const name = JSON.stringify(update.nodeName);
    throw admissionForbidden(
      attributes,
      `pod update requires features ${missing.join(", ")} which are not available on node ${name}`,
    );
  },
});
