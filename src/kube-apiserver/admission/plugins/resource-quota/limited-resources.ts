import type { ResourceQuota, ScopedResourceSelectorRequirement } from "#api/generated/core/v1.ts";
import { plainError } from "#apimachinery/api-errors/plain-error.ts";
import type { StatusError } from "#apimachinery/api-errors/status.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { type AdmissionAttributes, admissionForbidden } from "#apiserver/admission/admission.ts";
import type { QuotaEvaluator } from "#component-helpers/quota/evaluator.ts";
import type { ResourceList } from "#component-helpers/quota/resource-list.ts";
import { scopesOf } from "#component-helpers/quota/scopes.ts";

/** Something that nobody may have unless a quota of the namespace covers it: `limitedResources` of the plugin's configuration. */
export interface LimitedResource {
  readonly apiGroup?: string;
  readonly resource: string;
  /** Parts of the quota names that are limited. */
  readonly matchContains?: readonly string[];
  /** Scopes whose objects are limited. */
  readonly matchScopes?: readonly ScopedResourceSelectorRequirement[];
}

interface Quota {
  readonly quota: ResourceQuota;
  readonly hard: ResourceList;
}

/** A request, and the quotas that it meets. */
export interface LimitedRequest {
  readonly quotas: readonly Quota[];
  /** Those that judge the object. */
  readonly interesting: readonly Quota[];
  readonly attributes: AdmissionAttributes;
  readonly object: ApiObject;
  readonly usage: ResourceList;
  readonly evaluator: QuotaEvaluator;
  readonly limited: readonly LimitedResource[];
}

/** Why a request may not have what is limited and no quota covers; undefined when it may. As the middle of upstream's `CheckRequest`. */
export function uncoveredLimit(request: LimitedRequest): StatusError | undefined {
  const names = uncoveredNames(request);
  if (names.length > 0) return admissionForbidden(request.attributes, `insufficient quota to consume: ${names.join(",")}`);
  const scopes = uncoveredScopes(request);
  // Upstream gives this one no form: it is a failure of the server, not a refusal.
  return scopes.length > 0
    ? plainError(`insufficient quota to match these scopes: [${scopes.map(scopeText).join(" ")}]`)
    : undefined;
}

function uncoveredNames({ interesting, attributes, usage, evaluator, limited }: LimitedRequest): string[] {
  const { group, resource } = attributes;
  const parts = limited
    .filter((each) => (each.apiGroup ?? "") === group && each.resource === resource)
    .flatMap(({ matchContains = [] }) => matchContains);
  const covered = new Set(interesting.flatMap(({ hard }) => evaluator.matchingNames([...hard.keys()])));
  return [...usage]
    .filter(([name, { unscaled }]) => unscaled > 0n && parts.some((part) => name.includes(part)) && !covered.has(name))
    .map(([name]) => name)
    .sort();
}

/** As upstream: the scopes of every entry are looked at, whatever resource it names. */
function uncoveredScopes({ quotas, object, evaluator, limited }: LimitedRequest): ScopedResourceSelectorRequirement[] {
  const wanted = limited.flatMap(({ matchScopes = [] }) => matchScopes).filter((scope) => evaluator.inScope(scope, object));
  const covered = new Set(
    quotas
      .flatMap(({ quota }) => scopesOf(quota).filter((scope) => evaluator.inScope(scope, object)))
      .map(({ scopeName }) => scopeName),
  );
  return wanted.filter(({ scopeName }) => !covered.has(scopeName));
}

/** As Go prints the struct. */
function scopeText({ scopeName, operator, values }: ScopedResourceSelectorRequirement): string {
  return `{${scopeName} ${operator} [${(values ?? []).join(" ")}]}`;
}
