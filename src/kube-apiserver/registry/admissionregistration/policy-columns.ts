import type { ParamKind, ParamRef } from "#api/generated/admissionregistration/v1.ts";
import { goQuote } from "#apimachinery/validation/field-error.ts";

/** `group/version/Kind` of a policy's parameters. */
export function formatParamKind(paramKind: ParamKind | undefined): string {
  return paramKind ? `${paramKind.apiVersion}/${paramKind.kind}` : "<unset>";
}

/** The parameter resource of a binding: `namespace/name`, `*` for any namespace, or the selector in Go's form. */
export function formatParamRef(paramRef: ParamRef | undefined): string {
  if (!paramRef) return "<unset>";
  if (paramRef.name) return `${paramRef.namespace || "*"}/${paramRef.name}`;
  return paramRef.selector ? formatSelector(paramRef.selector) : "<unset>";
}

function formatSelector(selector: NonNullable<ParamRef["selector"]>): string {
  const labels = Object.entries(selector.matchLabels ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}: ${value},`)
    .join("");
  const expressions = (selector.matchExpressions ?? [])
    .map(
      (e) =>
        `LabelSelectorRequirement{Key:${e.key},Operator:${e.operator},Values:[${(e.values ?? []).map(goPlain).join(" ")}],},`,
    )
    .join("");
  return `&LabelSelector{MatchLabels:map[string]string{${labels}},MatchExpressions:[]LabelSelectorRequirement{${expressions}},}`;
}

function goPlain(value: string): string {
  return goQuote(value).slice(1, -1);
}
