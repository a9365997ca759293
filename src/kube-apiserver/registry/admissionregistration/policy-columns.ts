import type { ParamKind, ParamRef } from "#api/generated/admissionregistration/v1.ts";
import { selectorText } from "#apimachinery/labels/selector-text.ts";

/** `group/version/Kind` of a policy's parameters. */
export function formatParamKind(paramKind: ParamKind | undefined): string {
  return paramKind ? `${paramKind.apiVersion}/${paramKind.kind}` : "<unset>";
}

/** The parameter resource of a binding: `namespace/name`, `*` for any namespace, or the selector in Go's form. */
export function formatParamRef(paramRef: ParamRef | undefined): string {
  if (!paramRef) return "<unset>";
  if (paramRef.name) return `${paramRef.namespace || "*"}/${paramRef.name}`;
  return paramRef.selector ? selectorText(paramRef.selector) : "<unset>";
}
