import { alreadyExists, badRequest, generateNameConflict, invalid } from "#apimachinery/api-errors/errors.ts";
import { plainError } from "#apimachinery/api-errors/plain-error.ts";
import { StatusError } from "#apimachinery/api-errors/status.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { deepCopy } from "#apimachinery/meta/deep-copy.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { validateObjectMeta } from "#apimachinery/validation/object-meta.ts";
import type { CacheEntry } from "../../cacher/cache-entry.ts";
import { generateName, NAME_ATTEMPTS_MAX } from "./generate-name.ts";
import { dedupOwnerReferences } from "./owner-references.ts";
import { toStorageForm } from "./served-form.ts";
import { asDraft, type StoreCore, type WriteRequest } from "./store-core.ts";

/** What a write left behind: the stored state, or for a dry run the object that would have been stored. */
export type WriteResult =
  | { readonly entry: CacheEntry; readonly object: ApiObject }
  | { readonly entry: undefined; readonly object: ApiObject };

/**
 * Upstream's create handler and `Store.Create`: managedFields, mutating admission, system fields, strategy, validation,
 * validating admission, allocation, write. `body` is decoded and in the client's form; it is taken over.
 */
export async function createObject(core: StoreCore, body: ApiObject, request: WriteRequest): Promise<WriteResult> {
  const { context } = request;
  const loading = core.strategy.load?.();
  if (loading !== undefined) await loading;
  checkNamespace(core, body, request);
  dedupOwnerReferences(body, context.warnings, false);
  const tracking = core.trackFields(body, undefined, request);
  if (tracking !== undefined) await tracking;
  const object = toStorageForm(request.form, core.definition, body);
  if (request.form.other?.setDefaults === undefined) core.strategy.setDefaults?.(asDraft(object));
  if (request.admit) {
    const attributes = core.attributes("CREATE", request, object.metadata.name ?? "", object, undefined);
    const admitting = core.modules.admission().mutate(attributes);
    if (admitting !== undefined) await admitting;
    dedupOwnerReferences(object, context.warnings, true);
  }
  const generated = !object.metadata.name && Boolean(object.metadata.generateName);
  if (!generated) return await createNamed(core, object, request);
  for (let attempt = 1; ; attempt++) {
    const named = attempt < NAME_ATTEMPTS_MAX ? deepCopy(object) : object;
    const base = object.metadata.generateName ?? "";
    named.metadata.name = core.strategy.generateName?.(base) ?? generateName(core.modules.random, base);
    try {
      return await createNamed(core, named as ApiObject, request);
    } catch (error) {
      if (!(error instanceof StatusError) || error.reason !== "AlreadyExists") throw error;
      if (attempt >= NAME_ATTEMPTS_MAX) throw generateNameConflict(core.resourceOf(request), named.metadata.name, 1);
    }
  }
}

/** The object's namespace is the request's; a body that says otherwise is refused. */
export function checkNamespace(core: StoreCore, object: ApiObject, request: WriteRequest): void {
  const meta = object.metadata;
  if (!core.namespaced) {
    delete meta.namespace;
    return;
  }
  if (!meta.namespace) meta.namespace = request.namespace;
  else if (meta.namespace !== request.namespace) {
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  }
}

function createNamed(core: StoreCore, object: ApiObject, request: WriteRequest): Promise<WriteResult> {
  prepareNew(core, object, request);
  if (request.admit) {
    const attributes = core.attributes("CREATE", request, object.metadata.name ?? "", object, undefined);
    const admitting = core.modules.admission().validate(attributes);
    if (admitting !== undefined) return admitting.then(() => storeNew(core, object, request));
  }
  return storeNew(core, object, request);
}

/** Upstream's `FillObjectMetaSystemFields` and `BeforeCreate`. */
export function prepareNew(core: StoreCore, object: ApiObject, request: WriteRequest): void {
  const { strategy } = core;
  const { context } = request;
  const meta = object.metadata;
  meta.creationTimestamp = core.now();
  meta.uid = core.modules.random.uuid();
  delete meta.selfLink;
  delete meta.deletionTimestamp;
  delete meta.deletionGracePeriodSeconds;
  if (core.hasStatus() && !strategy.keepStatusOnCreate) delete object.status;
  if (strategy.generationChanges !== undefined) meta.generation = 1;
  strategy.prepareForCreate?.(asDraft(object), context);
  const errors = validateObjectMeta(
    meta,
    core.namespaced,
    core.nameValidator(object),
    FieldPath.of("metadata"),
    core.metaOptions(),
  );
  errors.push(...(strategy.validate?.(object, context) ?? []));
  if (errors.length > 0) throw invalid(core.groupKind, meta.name ?? "", errors);
  context.warnings.push(...(strategy.warningsOnCreate?.(object) ?? []));
}

/** Allocates and writes. A name that is taken is 409, with a hint when its owner is being deleted. */
export async function storeNew(core: StoreCore, object: ApiObject, request: WriteRequest): Promise<WriteResult> {
  const meta = object.metadata;
  // What a write of the status makes has nothing allocated, as upstream.
  const begin = request.subresource === "" ? core.strategy.beginCreate : undefined;
  const beginning = begin?.(asDraft(object), request.context, request.dryRun);
  const transaction = beginning instanceof Promise ? await beginning : beginning;
  try {
    // A dry run never reaches the check, and answers with the version that was given.
    if (!request.dryRun && namesVersion(meta.resourceVersion)) {
      throw plainError("resourceVersion should not be set on objects to be created");
    }
    if (!request.dryRun) delete meta.resourceVersion;
    const key = core.cache.key(meta.namespace ?? "", meta.name ?? "");
    const stored = core.normalize(object);
    // What others have deleted may still be cached; the write itself would find out, a refusal or a dry run would not.
    if (request.dryRun || core.cache.byKey(key) !== undefined) await core.modules.cache.catchUp();
    const taken = core.cache.byKey(key);
    if (taken !== undefined) throw nameTaken(core, taken, request);
    if (request.dryRun) {
      transaction?.rollback?.();
      return { entry: undefined, object: stored };
    }
    const entry = await core.put(key, undefined, stored);
    if (entry === undefined) throw nameTaken(core, core.cache.byKey(key), request, meta.name);
    transaction?.commit?.();
    return { entry, object: entry.object };
  } catch (error) {
    transaction?.rollback?.();
    throw error;
  }
}

/** Upstream takes a resourceVersion that is no number for none. */
function namesVersion(text: string | undefined): boolean {
  return text !== undefined && /^[0-9]+$/.test(text) && BigInt.asUintN(64, BigInt(text)) === BigInt(text) && BigInt(text) !== 0n;
}

function nameTaken(core: StoreCore, taken: CacheEntry | undefined, request: WriteRequest, name = taken?.name): StatusError {
  const error = alreadyExists(core.resourceOf(request), name ?? "");
  if (taken?.metadata.deletionTimestamp === undefined) return error;
  return new StatusError({ ...error.status, message: `object is being deleted: ${error.message}` });
}
