import { aggregateMessages, badRequest, invalid } from "#apimachinery/api-errors/errors.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { type FieldError, invalid as invalidField } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import type { Authorizer } from "#apiserver/authorization/authorizer.ts";
import type { VirtualResource } from "#apiserver/registry/resource.ts";
import type { UserInfo } from "#apiserver/request/request-info.ts";
import type { Clock } from "#base/clock.ts";
import { trackReview } from "../authentication/track-review.ts";
import { internalForm, type ReviewSpec, reviewAttributes, selectorProblem, validateReviewSpec } from "./review-spec.ts";

const GROUP = "authorization.k8s.io";

/** The three reviews that ask the authorizer whether something is allowed. */
export function accessReviews(modules: { readonly authorizer: Authorizer; readonly clock: Clock }): readonly VirtualResource[] {
  const { authorizer, clock } = modules;
  const resource = (
    kind: string,
    scope: VirtualResource["scope"],
    validate: (body: ApiObject, spec: ReviewSpec) => FieldError[],
    userOf: (spec: ReviewSpec, asking: UserInfo) => UserInfo,
  ): VirtualResource => ({
    group: GROUP,
    version: "v1",
    kind,
    plural: `${kind.toLowerCase()}s`,
    singular: kind.toLowerCase(),
    scope,
    async create(body, context) {
      if (scope === "Namespaced") placeInNamespace(body, context.info.namespace);
      trackReview(body, GROUP, kind, context, clock);
      const spec = (body.spec ?? {}) as ReviewSpec;
      const errors = validate(body, spec);
      if (errors.length > 0) throw invalid({ group: GROUP, kind: "" }, "", errors);
      const { decision, reason, error } = await authorizer.authorize(reviewAttributes(spec, userOf(spec, context.user)));
      const evaluationError = aggregateMessages([selectorProblem(spec), error ?? ""].filter((text) => text !== ""));
      body.status = { allowed: decision === "allow", denied: decision === "deny", reason, evaluationError };
      return body;
    },
  });
  return [
    resource(
      "LocalSubjectAccessReview",
      "Namespaced",
      (body, spec) => [...validateReviewSpec(spec, true), ...validateLocal(body, spec)],
      subjectOf,
    ),
    resource(
      "SelfSubjectAccessReview",
      "Cluster",
      (body, spec) => [...validateReviewSpec(spec, false), ...validateEmptyMeta(body)],
      (_spec, asking) => asking,
    ),
    resource(
      "SubjectAccessReview",
      "Cluster",
      (body, spec) => [...validateReviewSpec(spec, true), ...validateEmptyMeta(body)],
      subjectOf,
    ),
  ];
}

function subjectOf(spec: ReviewSpec): UserInfo {
  return { name: spec.user ?? "", uid: spec.uid ?? "", groups: spec.groups ?? [], extra: spec.extra ?? {} };
}

function placeInNamespace(body: ApiObject, namespace: string): void {
  if (body.metadata.namespace && body.metadata.namespace !== namespace) {
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  }
  body.metadata.namespace = namespace;
}

function validateEmptyMeta({ metadata }: ApiObject): FieldError[] {
  const { managedFields: _, ...rest } = metadata;
  return Object.keys(rest).length === 0 ? [] : [invalidField(FieldPath.of("metadata"), metadata, "must be empty")];
}

function validateLocal({ metadata }: ApiObject, spec: ReviewSpec): FieldError[] {
  const errors: FieldError[] = [];
  const { managedFields: _, namespace, ...rest } = metadata;
  if (Object.keys(rest).length > 0)
    errors.push(invalidField(FieldPath.of("metadata"), metadata, "must be empty except for namespace"));
  const asked = spec.resourceAttributes;
  if (asked && (asked.namespace ?? "") !== namespace) {
    const path = FieldPath.of("spec", "resourceAttributes", "namespace");
    errors.push(invalidField(path, asked.namespace ?? "", "must match metadata.namespace"));
  }
  if (spec.nonResourceAttributes) {
    const path = FieldPath.of("spec", "nonResourceAttributes");
    errors.push(invalidField(path, internalForm(spec.nonResourceAttributes), "disallowed on this kind of request"));
  }
  return errors;
}
