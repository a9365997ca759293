import type { ParamKind, ParamRef } from "#api/generated/admissionregistration/v1.ts";
import { labelSelectorFromObject } from "#apimachinery/labels/selector.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";

/** The objects of a kind that policies take parameters from. */
export interface ParamSource {
  readonly namespaced: boolean;
  get(namespace: string, name: string): ApiObject | undefined;
  list(namespace: string): readonly ApiObject[];
}

/** Finds the objects of a kind; undefined for a kind that is not served. */
export type ParamSources = (kind: ParamKind) => ParamSource | undefined;

/** A kind as Go prints it. */
export function paramKindText({ apiVersion = "", kind = "" }: ParamKind): string {
  return `${apiVersion.includes("/") ? apiVersion : `/${apiVersion}`}, Kind=${kind}`;
}

/**
 * The parameters of a binding: one evaluation for each, `undefined` for one without parameters, and none where nothing is found
 * and that is allowed. Throws an Error that says what is wrong. Upstream's `CollectParams`.
 */
export function collectParams(
  source: ParamSource | undefined,
  reference: ParamRef | undefined,
  namespace: string,
): readonly (ApiObject | undefined)[] {
  if (source === undefined || reference === undefined) return [undefined];
  const { name = "", namespace: fixed = "", selector, parameterNotFoundAction } = reference;
  if (!source.namespaced && fixed !== "")
    throw new Error("paramRef.namespace must not be provided for a cluster-scoped `paramKind`");
  const within = source.namespaced ? fixed || namespace : "";
  if (source.namespaced && within === "") {
    throw new Error("cannot use namespaced paramRef in policy binding that matches cluster-scoped resources");
  }
  const found = find(source, within, name, selector);
  if (found.length === 0 && parameterNotFoundAction === "Deny") {
    throw new Error("no params found for policy binding with `Deny` parameterNotFoundAction");
  }
  return found;
}

function find(source: ParamSource, namespace: string, name: string, selector: ParamRef["selector"]): readonly ApiObject[] {
  if (name !== "") {
    const one = source.get(namespace, name);
    return one === undefined ? [] : [one];
  }
  if (selector === undefined) throw new Error("one of name or selector must be provided");
  const selected = labelSelectorFromObject(selector as Parameters<typeof labelSelectorFromObject>[0]);
  return source.list(namespace).filter(({ metadata }) => selected.matches(metadata.labels));
}
