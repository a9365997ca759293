import type { Namespace } from "#api/generated/core/v1.ts";

/** The finalizer that stands for this controller's work. */
export const KUBERNETES_FINALIZER = "kubernetes";

/** What the decision depends on. */
export interface Observed {
  readonly namespace: Namespace;
}

export type Action =
  | { readonly type: "markTerminating" }
  /** Deletes everything in it; when nothing is left, takes the finalizer away. */
  | { readonly type: "deleteContent" };

/** Empties namespaces that are being deleted. */
export function reconcile({ namespace }: Observed): readonly Action[] {
  if (namespace.metadata.deletionTimestamp === undefined) return [];
  if (!(namespace.spec?.finalizers ?? []).includes(KUBERNETES_FINALIZER)) return [];
  const mark: Action[] = namespace.status?.phase === "Terminating" ? [] : [{ type: "markTerminating" }];
  return [...mark, { type: "deleteContent" }];
}

const RETRY_MIN_MS = 250;
const RETRY_MAX_MS = 8_000;

/** When to look again at a namespace that still has content: soon at first, as long as others may just be busy with it. */
export function retryAfterMs(deletedForMs: number): number {
  return Math.min(RETRY_MAX_MS, Math.max(RETRY_MIN_MS, deletedForMs / 4));
}
