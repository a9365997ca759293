import { conflict, invalid, notFound } from "#apimachinery/api-errors/errors.ts";
import { plainError } from "#apimachinery/api-errors/plain-error.ts";
import { restoreTimes } from "#apimachinery/managedfields/timestamps.ts";
import type { ApiObject, ObjectMeta } from "#apimachinery/meta/api-object.ts";
import type { FieldError } from "#apimachinery/validation/field-error.ts";
import { goQuote, invalid as invalidField } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { validateObjectMeta, validateObjectMetaUpdate } from "#apimachinery/validation/object-meta.ts";
import type { CacheEntry } from "../../cacher/cache-entry.ts";
import type { StatusSubresource } from "../resource.ts";
import { checkNamespace, prepareNew, storeNew, type WriteResult } from "./create-object.ts";
import { endsWithUpdate } from "./deletion.ts";
import { asDraft, type StoreCore, type WriteRequest } from "./store-core.ts";

/**
 * How often a write is tried again when others write in between, each time after theirs is stored. Upstream tries for as long as the
 * request may take: a scheduler that tells of one pod again and again wins for seconds against who deletes it.
 */
export const WRITE_ATTEMPTS_MAX = 2_048;
/** Upstream's `OptimisticLockErrorMsg`. */
export const OPTIMISTIC_LOCK_MESSAGE =
  "the object has been modified; please apply your changes to the latest version and try again";

/** An update in the making. */
export interface UpdateRequest extends WriteRequest {
  readonly name: string;
  /** The uid that the stored object must have; empty for any. */
  readonly expectedUid: string;
  /**
   * Makes the new object, in storage form and admitted, from what is stored (undefined: nothing). Called again when
   * somebody else wrote in between, so it may not change what it closes over. Must not change `existing`.
   */
  readonly transform: (existing: ApiObject | undefined) => ApiObject | Promise<ApiObject>;
  /** The object may be made if it is absent and the kind allows that. */
  readonly mayCreate: boolean;
  /** The object is made if it is absent, whatever the kind allows: server-side apply of the resource itself. */
  readonly forceCreate?: boolean;
  readonly skipValidation?: boolean;
}

/** Whether the object was made by the update. */
export type UpdateResult = WriteResult & { readonly created: boolean };

/** Upstream's `Store.Update`. */
export async function updateObject(core: StoreCore, request: UpdateRequest): Promise<UpdateResult> {
  const key = core.cache.key(request.namespace, request.name);
  for (let attempt = 0; attempt < WRITE_ATTEMPTS_MAX; attempt++) {
    const existing = core.cache.byKey(key);
    const converting = core.ready(existing);
    if (converting !== undefined) await converting;
    checkUid(core, request, key, existing?.metadata);
    const result = existing === undefined ? await createInstead(core, request) : await updateExisting(core, request, existing);
    if (result !== undefined) return result;
  }
  throw conflict(core.resourceOf(request), request.name, OPTIMISTIC_LOCK_MESSAGE);
}

function checkUid(core: StoreCore, request: UpdateRequest, key: string, existing: ObjectMeta | undefined): void {
  const uid = existing?.uid ?? "";
  if (request.expectedUid === "" || request.expectedUid === uid) return;
  if (existing === undefined && !mayCreate(core, request)) return;
  // Upstream's storage names its key, what simulates it for dry runs the key below the prefix.
  const shown = request.dryRun ? key.slice("/registry".length) : key;
  const text = `StorageError: invalid object, Code: 4, Key: ${shown}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${request.expectedUid}, UID in object meta: ${uid}`;
  throw conflict(core.resourceOf(request), request.name, text);
}

function mayCreate(core: StoreCore, request: UpdateRequest): boolean {
  if (request.forceCreate === true && request.subresource === "") return true;
  return request.mayCreate && core.strategy.allowCreateOnUpdate === true;
}

async function createInstead(core: StoreCore, request: UpdateRequest): Promise<UpdateResult | undefined> {
  if (!mayCreate(core, request)) throw notFound(core.resourceOf(request), request.name);
  await core.strategy.load?.();
  const object = await request.transform(undefined);
  parseResourceVersion(object.metadata.resourceVersion);
  delete object.metadata.resourceVersion;
  checkNamespace(core, object, request);
  prepareNew(core, object, request);
  if (request.admit) await core.modules.admission().validate(core.attributes("CREATE", request, request.name, object, undefined));
  if (core.cache.byKey(core.cache.key(request.namespace, request.name)) !== undefined) return undefined;
  return { ...(await storeNew(core, object, request)), created: true };
}

async function updateExisting(core: StoreCore, request: UpdateRequest, existing: CacheEntry): Promise<UpdateResult | undefined> {
  const old = existing.object;
  const loading = core.strategy.load?.();
  if (loading !== undefined) await loading;
  const transformed = request.transform(old);
  const object = transformed instanceof Promise ? await transformed : transformed;
  checkVersion(core, request, object, existing.revision);
  object.metadata.resourceVersion = String(existing.revision);
  prepareChanged(core, request, object, old);
  if (request.admit) {
    const admitting = core.modules.admission().validate(core.attributes("UPDATE", request, request.name, object, old));
    if (admitting !== undefined) await admitting;
  }
  const begin = request.subresource === "" ? core.strategy.beginUpdate : undefined;
  const beginning = begin?.(asDraft(object), old, request.context, request.dryRun);
  const transaction = beginning instanceof Promise ? await beginning : beginning;
  try {
    const result = await storeChanged(core, request, existing, object);
    if (result === undefined || request.dryRun) transaction?.rollback?.();
    else transaction?.commit?.();
    return result;
  } catch (error) {
    transaction?.rollback?.();
    throw error;
  }
}

async function storeChanged(
  core: StoreCore,
  request: UpdateRequest,
  existing: CacheEntry,
  object: ApiObject,
): Promise<UpdateResult | undefined> {
  const stored = core.normalize(object, existing);
  restoreTimes(stored, existing.object);
  const done = endsWithUpdate(stored.metadata, existing.object.metadata) && !core.strategy.finalization?.pending(stored);
  if (request.dryRun) {
    stored.metadata.resourceVersion = String(existing.revision);
    return { entry: undefined, object: stored, created: false };
  }
  if (done) {
    const gone = await core.remove(existing);
    if (gone === undefined) return undefined;
    core.strategy.afterDelete?.(stored);
    stored.metadata.resourceVersion = String(gone.revision);
    return { entry: undefined, object: stored, created: false };
  }
  const same = core.changesNothing(existing, stored);
  if (same instanceof Promise ? await same : same) return { entry: existing, object: existing.object, created: false };
  const entry = await core.put(existing.key, existing, stored);
  return entry === undefined ? undefined : { entry, object: entry.object, created: false };
}

/** A resourceVersion as a number; 0 for none. Throws 500 for another text: a plain error upstream. */
function parseResourceVersion(text: string | undefined): number {
  if (text === undefined || text === "") return 0;
  if (!/^[0-9]+$/.test(text)) throw plainError(`strconv.ParseUint: parsing ${goQuote(text)}: invalid syntax`);
  if (BigInt(text) > 0xffffffffffffffffn) {
    throw plainError(`strconv.ParseUint: parsing ${goQuote(text)}: value out of range`);
  }
  return Number(text);
}

function checkVersion(core: StoreCore, request: UpdateRequest, object: ApiObject, current: number): void {
  const version = parseResourceVersion(object.metadata.resourceVersion);
  if (version === current) return;
  if (version !== 0) throw conflict(core.resourceOf(request), request.name, OPTIMISTIC_LOCK_MESSAGE);
  if (core.strategy.allowUnconditionalUpdate !== false) return;
  const { group, resource } = core.resourceOf(request);
  const path = FieldPath.of("metadata", "resourceVersion");
  throw invalid({ group, kind: resource }, request.name, [invalidField(path, 0, "must be specified for an update")]);
}

/** Upstream's `BeforeUpdate`. */
function prepareChanged(core: StoreCore, request: UpdateRequest, object: ApiObject, old: ApiObject): void {
  const { strategy } = core;
  const { context } = request;
  const status = core.statusSubresource(request.subresource);
  checkNamespace(core, object, request);
  const meta = object.metadata;
  const oldMeta = old.metadata;
  keep(meta, oldMeta, "generation");
  delete meta.selfLink;
  if (status !== undefined) prepareStatus(status, object, old, request);
  else {
    if (core.hasStatus()) keep(object, old, "status");
    strategy.prepareForUpdate?.(asDraft(object), old, context);
    // Empty maps and zeros that were left out look like changes; only the stored forms tell.
    const changes = strategy.generationChanges;
    if (changes?.(object, old) && changes(core.normalize(object), old)) meta.generation = (oldMeta.generation ?? 0) + 1;
  }
  if (!meta.uid) keep(meta, oldMeta, "uid");
  keep(meta, oldMeta, "creationTimestamp");
  if (oldMeta.deletionTimestamp !== undefined) keep(meta, oldMeta, "deletionTimestamp");
  if (oldMeta.deletionGracePeriodSeconds !== undefined && meta.deletionGracePeriodSeconds === undefined) {
    keep(meta, oldMeta, "deletionGracePeriodSeconds");
  }
  if (request.skipValidation) return;
  const errors = metadataErrors(core, meta, oldMeta, status === undefined);
  const validate = status === undefined ? (strategy.validateUpdate ?? strategy.validate) : status.validateUpdate;
  if (validate !== undefined) errors.push(...callValidate(strategy, status, object, old, request));
  if (errors.length > 0) throw invalid(core.groupKind, meta.name ?? "", errors);
  const warn = status === undefined ? strategy.warningsOnUpdate : status.warningsOnUpdate;
  context.warnings.push(...(warn?.(object, old) ?? []));
}

/**
 * Upstream checks metadata twice for all kinds, and each built-in kind does so again on its own; every complaint is a cause
 * of its own.
 */
function metadataErrors(core: StoreCore, meta: ObjectMeta, old: ObjectMeta, main: boolean): FieldError[] {
  const path = FieldPath.of("metadata");
  const update = validateObjectMetaUpdate(meta, old, path);
  const whole = validateObjectMeta(meta, core.namespaced, core.nameValidator(), path, core.metaOptions());
  if (update.length === 0 && whole.length === 0) return [];
  const finalizers = whole.filter(({ field }) => field.startsWith("metadata.finalizers["));
  const rest = whole.filter((error) => !finalizers.includes(error));
  return [...update, ...rest, ...update, ...finalizers, ...(main ? whole : [])];
}

function callValidate(
  strategy: StoreCore["strategy"],
  status: StatusSubresource<ApiObject> | undefined,
  object: ApiObject,
  old: ApiObject,
  request: UpdateRequest,
): FieldError[] {
  if (status !== undefined) return status.validateUpdate?.(object, old, request.context) ?? [];
  if (strategy.validateUpdate !== undefined) return strategy.validateUpdate(object, old, request.context);
  return strategy.validate?.(object, request.context) ?? [];
}

const KEPT_METADATA = {
  none: [],
  labels: ["labels"],
  all: ["deletionTimestamp", "labels", "annotations", "finalizers", "ownerReferences"],
} as const;

function prepareStatus(status: StatusSubresource<ApiObject>, object: ApiObject, old: ApiObject, request: UpdateRequest): void {
  if (status.prepareForUpdate !== undefined) status.prepareForUpdate(asDraft(object), old, request.context);
  else {
    for (const field of new Set([...Object.keys(object), ...Object.keys(old)])) {
      if (field !== "metadata" && field !== "status") keep(object, old, field);
    }
  }
  for (const field of KEPT_METADATA[status.keepsMetadata ?? "none"]) keep(object.metadata, old.metadata, field);
  if (status.generationChanges?.(object, old)) object.metadata.generation = (old.metadata.generation ?? 0) + 1;
}

function keep<T extends object, K extends keyof T>(target: T, from: T, field: K): void {
  if (from[field] === undefined) delete target[field];
  else target[field] = from[field];
}
