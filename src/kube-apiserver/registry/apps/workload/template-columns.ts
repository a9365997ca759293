import type { PodTemplateSpec } from "#api/generated/core/v1.ts";
import type { LabelSelector } from "#api/generated/meta/v1.ts";
import { labelSelectorFromObject } from "#apimachinery/labels/selector.ts";

/** The names of a template's containers, for a wide column. */
export function containerNames(template: PodTemplateSpec | undefined): string {
  return (template?.spec?.containers ?? []).map((container) => container.name).join(",");
}

/** The images of a template's containers, for a wide column. */
export function containerImages(template: PodTemplateSpec | undefined): string {
  return (template?.spec?.containers ?? []).map((container) => container.image ?? "").join(",");
}

/** A label selector as `kubectl` writes it; `<none>` when it selects nothing in particular. */
export function formatSelector(selector: LabelSelector | undefined): string {
  try {
    return selectorText(selector) || "<none>";
  } catch {
    return "<error>";
  }
}

/** A label selector's text; empty for all. Throws for a selector that does not parse. */
export function selectorText(selector: LabelSelector | undefined): string {
  return selector ? labelSelectorFromObject(selector).toString() : "";
}
