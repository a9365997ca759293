import type { ControllerRevision } from "#api/generated/apps/v1.ts";
import type { PodTemplateSpec } from "#api/generated/core/v1.ts";
import { sameJson } from "./hash.ts";

/** What a revision of a DaemonSet or StatefulSet keeps: a patch that puts the template back in place of another. */
export function templatePatch(template: PodTemplateSpec): Record<string, unknown> {
  return { spec: { template: { ...template, $patch: "replace" } } };
}

/** The template that a revision keeps; undefined for data of another form. */
export function templateOf({ data }: ControllerRevision): PodTemplateSpec | undefined {
  const { spec } = (data ?? {}) as { readonly spec?: { readonly template?: PodTemplateSpec & { readonly $patch?: string } } };
  if (spec?.template === undefined) return undefined;
  const { $patch: _, ...template } = spec.template;
  return template;
}

/** Whether a revision keeps just this patch. */
export function isRevisionOf(revision: ControllerRevision, patch: Record<string, unknown>): boolean {
  return sameJson(revision.data ?? {}, patch);
}

/** The number that the next revision gets. */
export function nextRevision(revisions: readonly ControllerRevision[]): number {
  return revisions.reduce((most, { revision }) => Math.max(most, revision), 0) + 1;
}

/** Oldest first: by number, then by age, then by name. */
export function byRevision(a: ControllerRevision, b: ControllerRevision): number {
  if (a.revision !== b.revision) return a.revision - b.revision;
  const aTime = a.metadata.creationTimestamp ?? "";
  const bTime = b.metadata.creationTimestamp ?? "";
  if (aTime !== bTime) return aTime < bTime ? -1 : 1;
  return (a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1;
}
