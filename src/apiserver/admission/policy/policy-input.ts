import type { AskAuthorizer } from "#apimachinery/cel/library/authorizer.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import type { AdmissionAttributes } from "../admission.ts";
import type { PolicyInput } from "../cel/policy-activation.ts";
import { requestHead } from "../webhook/admission-review.ts";
import type { MatchedVersion } from "./match-resources.ts";

/** What a policy's expressions see of a request, in the version that the policy named. */
export function policyInput(
  attributes: AdmissionAttributes,
  matched: MatchedVersion,
  modules: { readonly namespaceObject: (name: string) => object | undefined },
  params: ApiObject | undefined,
  ask: AskAuthorizer,
): PolicyInput {
  const { namespace, kind, group, forms } = attributes;
  const isNamespace = group === "" && kind === "Namespace";
  const inVersion = (object: ApiObject | undefined) => object && (forms?.toVersion(object, matched.kind) ?? object);
  return {
    attributes,
    object: inVersion(attributes.object),
    oldObject: inVersion(attributes.oldObject),
    request: requestHead(attributes, matched),
    namespaceObject: namespace === "" || isNamespace ? undefined : modules.namespaceObject(namespace),
    params,
    ask,
  };
}
