import { conflict, invalid } from "#apimachinery/api-errors/errors.ts";
import type { ApiObject, ObjectMeta } from "#apimachinery/meta/api-object.ts";
import { formatTime, parseTime } from "#apimachinery/meta/time.ts";
import { type FieldError, invalid as invalidField, notSupported } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import type { DeleteOptions, Strategy } from "../resource.ts";

const ORPHAN = "orphan";
const FOREGROUND = "foregroundDeletion";

/** What a DELETE does to an object first. */
export type DeletionStep =
  /** Nothing may be changed: an earlier graceful deletion is under way. */
  | "pending"
  /** The object got a deletion timestamp and a grace period. */
  | "graceful"
  /** The kind, or this object, needs no grace period. */
  | "immediate";

/** Upstream's `ValidateDeleteOptions`. Throws 422. */
export function checkDeleteOptions(options: DeleteOptions): void {
  const errors: FieldError[] = [];
  const path = FieldPath.of("propagationPolicy");
  const policy = options.propagationPolicy;
  if (options.orphanDependents !== undefined && policy !== undefined) {
    errors.push(invalidField(path, policy, "orphanDependents and deletionPropagation cannot be both set"));
  }
  if (policy !== undefined && policy !== "Foreground" && policy !== "Background" && policy !== "Orphan") {
    errors.push(notSupported(path, policy, ["Foreground", "Background", "Orphan", "nil"]));
  }
  errors.push(...validateDryRun(options.dryRun));
  if (errors.length > 0) throw invalid({ group: "meta.k8s.io", kind: "DeleteOptions" }, "", errors);
}

/** Upstream's `ValidateDryRun`. */
export function validateDryRun(dryRun: readonly string[] | undefined): FieldError[] {
  if (dryRun === undefined || dryRun.every((value) => value === "All")) return [];
  return [notSupported(FieldPath.of("dryRun"), dryRun, ["All"])];
}

/** The uid and resourceVersion that the client expects. Throws 409 naming the kind, as upstream's `BeforeDelete`. */
export function checkPreconditions(object: ApiObject, options: DeleteOptions, group: string, kind: string): void {
  const { uid, resourceVersion } = options.preconditions ?? {};
  const meta = object.metadata;
  if (uid !== undefined && uid !== meta.uid) {
    const text = `the UID in the precondition (${uid}) does not match the UID in record (${meta.uid ?? ""}). The object might have been deleted and then recreated`;
    throw conflict({ group, resource: kind }, meta.name ?? "", text);
  }
  if (resourceVersion !== undefined && resourceVersion !== meta.resourceVersion) {
    const text = `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${meta.resourceVersion ?? ""}). The object might have been modified`;
    throw conflict({ group, resource: kind }, meta.name ?? "", text);
  }
}

/**
 * Upstream's `BeforeDelete` after the preconditions: starts or shortens a graceful deletion by changing `object`.
 * `options.gracePeriodSeconds` is set to the period that holds.
 */
export function beginDeletion<T extends object>(
  strategy: Strategy<T>,
  object: ApiObject,
  options: DeleteOptions,
  nowMs: number,
): DeletionStep {
  const meta = object.metadata;
  if (options.gracePeriodSeconds !== undefined && options.gracePeriodSeconds < 0) options.gracePeriodSeconds = 1;
  if (meta.deletionGracePeriodSeconds !== undefined && meta.deletionGracePeriodSeconds < 0) meta.deletionGracePeriodSeconds = 1;
  if (strategy.gracefulDeletion === undefined) return "immediate";
  if (meta.deletionTimestamp !== undefined) {
    const current = meta.deletionGracePeriodSeconds;
    // Marked and not removed is what a server that ended in between leaves: whoever asks next completes it.
    if (current === undefined || current === 0) return "immediate";
    const requested = options.gracePeriodSeconds;
    if (requested === undefined) {
      options.gracePeriodSeconds = current;
      return "pending";
    }
    if (requested >= current) return "pending";
    shorten(meta, current, requested, nowMs);
    return "graceful";
  }
  const period = strategy.gracefulDeletion(object as unknown as T, options.gracePeriodSeconds);
  if (period === undefined) return "immediate";
  options.gracePeriodSeconds = period;
  meta.deletionTimestamp = formatTime(nowMs + period * 1000);
  meta.deletionGracePeriodSeconds = period;
  if ((meta.generation ?? 0) > 0) meta.generation = (meta.generation ?? 0) + 1;
  return "graceful";
}

/** A time in the past becomes now; who still asked for some grace leaves the last word to whoever watches, who gets a second. */
function shorten(meta: ObjectMeta, current: number, requested: number, nowMs: number): void {
  const deadline = (parseTime(meta.deletionTimestamp) ?? nowMs) - (current - requested) * 1000;
  const over = deadline < nowMs;
  meta.deletionTimestamp = formatTime(over ? nowMs : deadline);
  meta.deletionGracePeriodSeconds = over && requested !== 0 ? 1 : requested;
}

/** Marks an object that waits for its finalizers. */
export function markAsDeleting(meta: ObjectMeta, nowMs: number): void {
  if (meta.deletionTimestamp === undefined && (meta.generation ?? 0) > 0) meta.generation = (meta.generation ?? 0) + 1;
  const deadline = parseTime(meta.deletionTimestamp);
  if (deadline === undefined || deadline > nowMs) meta.deletionTimestamp = formatTime(nowMs);
  meta.deletionGracePeriodSeconds = 0;
}

/** The finalizers that the garbage collector needs for the chosen propagation; undefined when they stand already. */
export function collectionFinalizers<T extends object>(
  strategy: Strategy<T>,
  meta: ObjectMeta,
  options: DeleteOptions,
): string[] | undefined {
  const before = meta.finalizers ?? [];
  const after = before.filter((finalizer) => finalizer !== ORPHAN && finalizer !== FOREGROUND);
  const wanted = propagationFinalizer(strategy, before, options);
  if (wanted !== undefined) after.push(wanted);
  const unchanged = after.length === before.length && after.every((finalizer) => before.includes(finalizer));
  return unchanged ? undefined : after;
}

function propagationFinalizer<T extends object>(
  strategy: Strategy<T>,
  finalizers: readonly string[],
  options: DeleteOptions,
): string | undefined {
  if (strategy.defaultPropagation === "Unsupported") return undefined;
  if (options.orphanDependents !== undefined) return options.orphanDependents ? ORPHAN : undefined;
  if (options.propagationPolicy === "Orphan") return ORPHAN;
  if (options.propagationPolicy === "Foreground") return FOREGROUND;
  if (options.propagationPolicy === "Background") return undefined;
  const standing = finalizers.find((finalizer) => finalizer === ORPHAN || finalizer === FOREGROUND);
  if (standing !== undefined) return standing;
  return strategy.defaultPropagation === "Orphan" ? ORPHAN : undefined;
}

/** Whether an update that left no finalizers ends the object (upstream's `ShouldDeleteDuringUpdate`). */
export function endsWithUpdate(meta: ObjectMeta, old: ObjectMeta): boolean {
  if ((meta.finalizers?.length ?? 0) > 0 || old.deletionTimestamp === undefined) return false;
  return old.deletionGracePeriodSeconds === undefined || old.deletionGracePeriodSeconds === 0;
}
