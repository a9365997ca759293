import type { PodTemplateSpec } from "#api/generated/core/v1.ts";
import type { LabelSelector } from "#api/generated/meta/v1.ts";
import { labelSelectorFromObject } from "#apimachinery/labels/selector.ts";
import type { Column } from "#apiserver/registry/resource.ts";
import type { columnsOf } from "../../columns.ts";

/** Columns that tell of a template's containers, which kinds with a template have alike; wide unless `options` say otherwise. */
export function templateColumns<T>(
  column: ReturnType<typeof columnsOf<T>>,
  templateOf: (object: T) => PodTemplateSpec | undefined,
  options: { readonly priority?: number } = { priority: 1 },
): readonly Column<T>[] {
  return [
    column("Containers", "string", (object) => containerNames(templateOf(object)), options),
    column("Images", "string", (object) => containerImages(templateOf(object)), options),
  ];
}

function containerNames(template: PodTemplateSpec | undefined): string {
  return (template?.spec?.containers ?? []).map((container) => container.name).join(",");
}

function containerImages(template: PodTemplateSpec | undefined): string {
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
