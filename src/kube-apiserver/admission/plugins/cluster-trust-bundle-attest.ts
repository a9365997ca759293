import { goQuote } from "#apimachinery/validation/field-error.ts";
import { type AdmissionAttributes, type AdmissionPluginFactory, admissionForbidden } from "#apiserver/admission/admission.ts";
import type { Authorizer } from "#apiserver/authorization/authorizer.ts";
import { maySign } from "../../authorization/certificate-signers.ts";

/** Who says whom a signer's subjects may trust needs a right to that signer (KEP-3257). */
export function clusterTrustBundleAttest(authorizer: Authorizer): AdmissionPluginFactory {
  return () => ({
    name: "ClusterTrustBundleAttest",
    validate: (attributes) => {
      const { operation, group, resource, subresource } = attributes;
      if (group !== "certificates.k8s.io" || resource !== "clustertrustbundles" || subresource !== "") return;
      if (operation !== "CREATE" && operation !== "UPDATE") return;
      const signer = signerOf(attributes.object);
      const old = signerOf(attributes.oldObject);
      if (old !== "" && signer !== old) throw admissionForbidden(attributes, "changing signerName is forbidden");
      if (signer !== "") return mustAttest(authorizer, attributes, signer);
    },
  });
}

async function mustAttest(authorizer: Authorizer, attributes: AdmissionAttributes, signer: string): Promise<void> {
  if (await maySign(authorizer, attributes.context.user, "attest", signer)) return;
  throw admissionForbidden(attributes, `user not permitted to attest for signerName ${goQuote(signer)}`);
}

function signerOf(object: AdmissionAttributes["object"]): string {
  return (object?.spec as { readonly signerName?: string } | undefined)?.signerName ?? "";
}
