import { conflict, notFound } from "#apimachinery/api-errors/errors.ts";
import type { Status } from "#apimachinery/api-errors/status.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { deepCopy } from "#apimachinery/meta/deep-copy.ts";
import type { CacheEntry } from "../../cacher/cache-entry.ts";
import type { DeleteOptions } from "../resource.ts";
import { beginDeletion, checkDeleteOptions, checkPreconditions, collectionFinalizers, markAsDeleting } from "./deletion.ts";
import type { StoreCore, WriteRequest } from "./store-core.ts";
import { OPTIMISTIC_LOCK_MESSAGE, WRITE_ATTEMPTS_MAX } from "./update-object.ts";

/** What a DELETE did. `answer` is the object or a Status, as the kind has it. */
export interface DeleteResult {
  readonly answer: ApiObject | Status;
  /** Where the answer is an object that is stored. */
  readonly entry: CacheEntry | undefined;
  /** The object is gone; otherwise it was only marked. */
  readonly gone: boolean;
}

/** Who deletes a collection names no object. */
function admittedName(name: string, request: WriteRequest): string {
  return request.ofCollection === true ? "" : name;
}

/** Upstream's `Store.Delete`: grace periods, finalizers, then the removal. `options` may be changed. */
export async function deleteObject(
  core: StoreCore,
  name: string,
  options: DeleteOptions,
  request: WriteRequest,
): Promise<DeleteResult> {
  const key = core.cache.key(request.namespace, name);
  if (request.admit) {
    const known = core.cache.byKey(key);
    await core.ready(known);
    const attributes = core.attributes("DELETE", request, admittedName(name, request), undefined, known?.object);
    await core.modules.admission().mutate({ ...attributes, options });
  }
  for (let attempt = 0; attempt < WRITE_ATTEMPTS_MAX; attempt++) {
    const existing = core.cache.byKey(key);
    if (existing === undefined) throw notFound(core.resourceOf(request), name);
    const converting = core.ready(existing);
    if (converting !== undefined) await converting;
    const result = await deleteExisting(core, existing, { ...options }, request);
    if (result !== undefined) return result;
  }
  throw conflict(core.resourceOf(request), name, OPTIMISTIC_LOCK_MESSAGE);
}

async function deleteExisting(
  core: StoreCore,
  existing: CacheEntry,
  options: DeleteOptions,
  request: WriteRequest,
): Promise<DeleteResult | undefined> {
  checkDeleteOptions(options);
  if (core.strategy.finalization !== undefined) checkOwnUid(core, existing.object, options, request);
  checkPreconditions(existing.object, options, request.form.group, core.definition.kind);
  if (request.admit) {
    const attributes = core.attributes("DELETE", request, admittedName(existing.name, request), undefined, existing.object);
    await core.modules.admission().validate({ ...attributes, options });
  }
  const { other } = request.form;
  const strategy =
    other?.defaultPropagation === undefined ? core.strategy : { ...core.strategy, defaultPropagation: other.defaultPropagation };
  if (strategy.finalization?.pending(existing.object)) return mark(core, existing, options, request);
  const now = core.modules.clock.now();
  const draft: ApiObject = deepCopy(existing.object);
  const step = beginDeletion(strategy, draft, options, now);
  if (step === "pending") return { answer: answerFor(core, existing.object, request), entry: existing, gone: false };
  const finalizers = collectionFinalizers(strategy, draft.metadata, options);
  if (finalizers !== undefined) setFinalizers(draft, finalizers);
  const held = (draft.metadata.finalizers?.length ?? 0) > 0;
  if (step === "immediate" && held) markAsDeleting(draft.metadata, now);
  if (step === "immediate" && !held) return remove(core, existing, existing, request);
  if (request.dryRun) return { answer: core.normalize(draft), entry: undefined, gone: false };
  const marked = unchanged(draft, existing.object) ? existing : await core.put(existing.key, existing, core.normalize(draft));
  if (marked === undefined) return undefined;
  if (held || (options.gracePeriodSeconds ?? 0) > 0) return { answer: marked.object, entry: marked, gone: false };
  return (await remove(core, marked, marked, request)) ?? removedByOther(core, marked, request);
}

/** Who marked an object for removal at once and finds that another was quicker to remove it has what was asked for. */
function removedByOther(core: StoreCore, marked: CacheEntry, request: WriteRequest): DeleteResult | undefined {
  if (core.cache.byKey(marked.key) !== undefined) return undefined;
  return { answer: answerFor(core, marked.object, request), entry: marked, gone: true };
}

/** Kinds with their own finalization word a wrong uid differently upstream. */
function checkOwnUid(core: StoreCore, object: ApiObject, options: DeleteOptions, request: WriteRequest): void {
  const expected = options.preconditions?.uid;
  const { name = "", uid = "" } = object.metadata;
  if (expected === undefined || expected === uid) return;
  const text = `Precondition failed: UID in precondition: ${expected}, UID in object meta: ${uid}`;
  throw conflict(core.resourceOf(request), name, text);
}

/** A kind with its own finalization is marked once; later deletes change nothing until it is through. */
async function mark(
  core: StoreCore,
  existing: CacheEntry,
  options: DeleteOptions,
  request: WriteRequest,
): Promise<DeleteResult | undefined> {
  if (existing.object.metadata.deletionTimestamp !== undefined) return { answer: existing.object, entry: existing, gone: false };
  const draft: ApiObject = deepCopy(existing.object);
  draft.metadata.deletionTimestamp = core.now();
  core.strategy.finalization?.begin(draft);
  const finalizers = collectionFinalizers(core.strategy, draft.metadata, options);
  if (finalizers !== undefined) setFinalizers(draft, finalizers);
  const stored = core.normalize(draft);
  if (request.dryRun)
    return {
      answer: { ...stored, metadata: { ...stored.metadata, resourceVersion: String(existing.revision) } },
      entry: undefined,
      gone: false,
    };
  const marked = await core.put(existing.key, existing, stored);
  return marked === undefined ? undefined : { answer: marked.object, entry: marked, gone: false };
}

async function remove(
  core: StoreCore,
  entry: CacheEntry,
  last: CacheEntry,
  request: WriteRequest,
): Promise<DeleteResult | undefined> {
  if (request.dryRun) return { answer: answerFor(core, last.object, request), entry: undefined, gone: true };
  const gone = await core.remove(entry);
  if (gone === undefined) return undefined;
  core.strategy.afterDelete?.(last.object);
  return { answer: answerFor(core, gone.object, request), entry: gone, gone: true };
}

function answerFor(core: StoreCore, object: ApiObject, request: WriteRequest): ApiObject | Status {
  if (core.strategy.returnDeletedObject) return object;
  const { group, resource } = core.resourceOf(request);
  const { name, uid } = object.metadata;
  return {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Success",
    details: {
      ...(name === undefined ? {} : { name }),
      ...(group === "" ? {} : { group }),
      kind: resource,
      ...(uid === undefined ? {} : { uid }),
    },
  };
}

function setFinalizers(object: ApiObject, finalizers: string[]): void {
  if (finalizers.length > 0) object.metadata.finalizers = finalizers;
  else delete object.metadata.finalizers;
}

function unchanged(draft: ApiObject, existing: ApiObject): boolean {
  const [a, b] = [draft.metadata, existing.metadata];
  return (
    a.deletionTimestamp === b.deletionTimestamp &&
    a.deletionGracePeriodSeconds === b.deletionGracePeriodSeconds &&
    a.generation === b.generation &&
    (a.finalizers ?? []).join() === (b.finalizers ?? []).join()
  );
}
