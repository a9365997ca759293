import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import type { VirtualResource } from "#apiserver/registry/resource.ts";
import { deprecationWarning } from "../deprecation.ts";

/** By the resource: the versions that v1.36 knows and does not serve. */
const OLD_REVIEWS: Readonly<Record<string, readonly string[]>> = {
  "authentication.k8s.io/tokenreviews": ["v1beta1"],
  "authentication.k8s.io/selfsubjectreviews": ["v1beta1", "v1alpha1"],
  "authorization.k8s.io/localsubjectaccessreviews": ["v1beta1"],
  "authorization.k8s.io/selfsubjectaccessreviews": ["v1beta1"],
  "authorization.k8s.io/selfsubjectrulesreviews": ["v1beta1"],
  "authorization.k8s.io/subjectaccessreviews": ["v1beta1"],
};

/** A review in its old versions, which differ in one name: the groups of the user are called `group`. */
export function oldReviewsOf(resource: VirtualResource): readonly VirtualResource[] {
  const { group, plural, kind, create } = resource;
  return (OLD_REVIEWS[`${group}/${plural}`] ?? []).map((version) => {
    const warning = deprecationWarning(group, version, kind);
    return {
      ...resource,
      version,
      ...(warning !== undefined && { deprecationWarning: warning }),
      ...(create && {
        create: async (body, context, dryRun) => {
          const answer = await create(renamed(body, `${group}/${resource.version}`, "group", "groups"), context, dryRun);
          return renamed(answer, `${group}/${version}`, "groups", "group");
        },
      }),
    };
  });
}

function renamed(review: ApiObject, apiVersion: string, from: string, to: string): ApiObject {
  const spec = review.spec as Record<string, unknown> | undefined;
  if (spec === undefined || !Object.hasOwn(spec, from)) return { ...review, apiVersion };
  const { [from]: groups, ...rest } = spec;
  return { ...review, apiVersion, spec: { ...rest, [to]: groups } };
}
