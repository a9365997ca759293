import { type ObjectVersions, trackUpdate } from "#apimachinery/managedfields/update.ts";
import type { ApiObject, Draft } from "#apimachinery/meta/api-object.ts";
import { deepCopy } from "#apimachinery/meta/deep-copy.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { formatTime } from "#apimachinery/meta/time.ts";
import { normalizeOwned } from "#apimachinery/schema/normalize.ts";
import { schemaFor } from "#apimachinery/schema/registry.ts";
import type { StructSchema } from "#apimachinery/schema/type-schema.ts";
import { nameIsDnsSubdomain } from "#apimachinery/validation/names.ts";
import type { ObjectMetaOptions } from "#apimachinery/validation/object-meta.ts";
import { assert } from "#base/assert.ts";
import type { Clock } from "#base/clock.ts";
import type { Random } from "#base/random.ts";
import type { KVStore } from "#storage/kv.ts";
import type { AdmissionAttributes, AdmissionChain } from "../../admission/admission.ts";
import { CacheEntry } from "../../cacher/cache-entry.ts";
import type { RegistryCache } from "../../cacher/registry-cache.ts";
import type { ResourceCache } from "../../cacher/resource-cache.ts";
import { VersionCache } from "../../cacher/version-cache.ts";
import { ConversionMemo, converting } from "../../conversion/conversion-memo.ts";
import type { RequestContext } from "../../request/request-info.ts";
import { encodeObject } from "../../serializer.ts";
import type { ResourceDefinition, StatusSubresource, Strategy } from "../resource.ts";
import { type ObjectView, ResourceForms } from "./admission-forms.ts";
import type { LeasePool } from "./lease-pool.ts";
import { convertToStorage, knownForm, type ServedForm, toServedForm } from "./served-form.ts";
import { storageFailure } from "./storage-failure.ts";
import type { StorageMediaType } from "./storage-settings.ts";
import { asJson, type StoredEncoding, storedEncoding } from "./stored-encoding.ts";
import { rawReader, storedReader } from "./stored-value.ts";

/** What all stores of a server share. */
export interface StoreModules {
  readonly kv: KVStore;
  readonly cache: RegistryCache;
  readonly clock: Clock;
  readonly random: Random;
  readonly leases: LeasePool;
  /** Read when a request is admitted, not before: plugins are made after the stores. */
  readonly admission: () => AdmissionChain;
  /** What built-in objects are written in; JSON when absent. */
  readonly mediaType?: StorageMediaType;
  /** Objects of a collection that are deleted at one time. */
  readonly deleteCollectionWorkers?: number;
}

/** One write, as far as all writes are alike. */
export interface WriteRequest {
  readonly context: RequestContext;
  readonly namespace: string;
  /** Empty for the resource itself. */
  readonly subresource: string;
  readonly dryRun: boolean;
  /** Whose change it is in `managedFields`; undefined leaves managedFields alone. */
  readonly fieldManager: string | undefined;
  /** The form that the client speaks. */
  readonly form: ServedForm;
  /** Server-internal writes skip admission. */
  readonly admit: boolean;
  /** What admission judges in the object's place: the view of it that is written. */
  readonly view?: ObjectView;
  /** The object is deleted with others of its collection: admission is told no name. */
  readonly ofCollection?: boolean;
}

/** The parts of one resource's store that the create, update and delete procedures work with. */
export class StoreCore {
  readonly definition: ResourceDefinition;
  readonly modules: StoreModules;
  readonly cache: ResourceCache | VersionCache;
  /** What is stored, whatever the version of this store. */
  readonly stored: ResourceCache;
  readonly schema: StructSchema;
  readonly form: ServedForm;
  /** Every version of the resource, the storage version first. */
  readonly forms: readonly ServedForm[];
  readonly #admissionForms: ResourceForms;
  readonly #memo: ConversionMemo | undefined;
  readonly #encoding: StoredEncoding;
  /** What objects become when they are stored, for who asks twice about one write. */
  readonly #storedForms = new WeakMap<ApiObject, ApiObject | Promise<ApiObject>>();

  constructor(definition: ResourceDefinition, form: ServedForm, forms: readonly ServedForm[], modules: StoreModules) {
    this.definition = definition;
    this.modules = modules;
    this.form = form;
    this.forms = forms;
    this.#memo = definition.codec && new ConversionMemo(definition.codec.convert);
    this.#admissionForms = new ResourceForms(definition, forms, this.#memo);
    this.schema = form.schema;
    const { codec } = definition;
    this.stored = modules.cache.cacheFor(definition.storagePrefix);
    if (codec !== undefined) {
      this.#encoding = asJson(codec.storedVersions, definition.kind);
      this.stored.reader = rawReader(codec.storedVersions, definition.kind, this.#encoding);
    } else {
      const { group, version, kind, schema } = form;
      const isBuiltIn = schemaFor(group, version, kind) === schema;
      this.#encoding = storedEncoding(isBuiltIn ? (modules.mediaType ?? "application/json") : "application/json", form);
      this.stored.reader = storedReader(definition, forms, this.#encoding);
    }
    this.stored.exact ||= definition.exactNumbers === true;
    if (definition.readSeldom === true) this.stored.readSeldom();
    this.stored.indexed = definition.indexedFields ?? [];
    this.cache = codec ? new VersionCache(this.stored, codec) : this.stored;
  }

  get strategy(): Strategy<ApiObject> {
    return this.definition.strategy;
  }

  get groupResource(): { group: string; resource: string } {
    return { group: this.definition.group, resource: this.definition.plural };
  }

  get groupKind(): { group: string; kind: string } {
    return { group: this.definition.group, kind: this.definition.kind };
  }

  get namespaced(): boolean {
    return this.definition.scope === "Namespaced";
  }

  /** How the request's group calls the resource: another group may serve it too. */
  resourceOf(request: { readonly form: ServedForm }): { group: string; resource: string } {
    return { group: request.form.group, resource: this.definition.plural };
  }

  now(): string {
    return formatTime(this.modules.clock.now());
  }

  /** Says what is wrong with a name; `object` is given where it is a new one's. */
  nameValidator(object?: ApiObject): (name: string, prefix: boolean) => string[] {
    const { validateName = nameIsDnsSubdomain, validateNameOf } = this.strategy;
    if (validateNameOf === undefined || object === undefined) return validateName;
    return (name, prefix) => [...validateName(name, prefix), ...validateNameOf(object, name)];
  }

  /** Which rules of metadata hold for this kind. */
  metaOptions(): ObjectMetaOptions {
    return { qualifiedFinalizers: this.strategy.anyFinalizers !== true };
  }

  statusSubresource(name: string): StatusSubresource<ApiObject> | undefined {
    const subresource = this.definition.subresources?.[name];
    if (subresource?.type === "connect") return subresource.write;
    return subresource?.type === "status" ? subresource : undefined;
  }

  hasStatus(): boolean {
    return this.definition.subresources?.status?.type === "status";
  }

  /**
   * The canonical stored form. Takes its argument over. `existing` is what is stored: a part that is the very one of this process's
   * last write is as it is to be, such as the spec where a status is written.
   */
  normalize(object: ApiObject, existing?: CacheEntry): ApiObject {
    if (existing === undefined || existing.stale !== false) return normalizeOwned(this.schema, object) as ApiObject;
    const stored = existing.object as unknown as Readonly<Record<string, unknown>>;
    const isStoredSo = (name: string, value: unknown): boolean => value === stored[name];
    return normalizeOwned(this.schema, object, false, isStoredSo) as ApiObject;
  }

  attributes(
    operation: AdmissionAttributes["operation"],
    request: WriteRequest,
    name: string,
    object: ApiObject | undefined,
    oldObject: ApiObject | undefined,
  ): AdmissionAttributes {
    const { form, context, namespace, subresource, dryRun, view } = request;
    const { definition } = this;
    const attributes: AdmissionAttributes = {
      operation,
      group: form.group,
      version: form.version,
      resource: definition.plural,
      kind: definition.kind,
      subresource,
      namespace: definition.plural === "namespaces" && definition.group === "" ? name : namespace,
      name,
      object,
      oldObject,
      dryRun,
      context,
      forms: this.#admissionForms,
    };
    return view === undefined ? attributes : view.attributes(attributes);
  }

  /**
   * Records in `managedFields` who changed what, in the form that the client speaks. At once unless managers of other
   * versions make another server's conversion necessary.
   */
  trackFields(object: ApiObject, old: ApiObject | undefined, request: WriteRequest): void | Promise<void> {
    if (request.fieldManager === undefined) return undefined;
    return converting(() => this.#trackFields(object, old, request, request.fieldManager ?? ""));
  }

  #trackFields(object: ApiObject, old: ApiObject | undefined, request: WriteRequest, manager: string): void {
    const { form, subresource } = request;
    // Begun anew for every conversion that is missing: until then the object stays as it is.
    const own = this.#memo === undefined ? object : { ...object, metadata: { ...object.metadata } };
    const resetFields = this.resetFields(subresource);
    // What the subresource does not write is not compared.
    const tracked = normalizeOwned(form.schema, own, true, (name) => resetFields.includes(name));
    // An empty list is no list to Go's encoder, but it resets the managers.
    if (object.metadata.managedFields?.length === 0) tracked.metadata.managedFields = [];
    trackUpdate({
      schema: form.schema,
      old: old === undefined ? undefined : toServedForm(form, old),
      object: tracked,
      manager,
      apiVersion: form.apiVersion,
      subresource,
      now: this.now(),
      resetFields,
      versions: this.versions(subresource),
    });
    if (tracked.metadata.managedFields === undefined) delete object.metadata.managedFields;
    else object.metadata.managedFields = tracked.metadata.managedFields;
  }

  /** Makes sure that the entry can be read; undefined when it can. Rejects where it cannot be converted. */
  ready(entry: CacheEntry | undefined): Promise<void> | undefined {
    return entry && this.cache.ready([entry]);
  }

  /** The object as it is stored. */
  storedForm(object: ApiObject): ApiObject | Promise<ApiObject> {
    const { codec } = this.definition;
    if (codec === undefined) return object;
    let form = this.#storedForms.get(object);
    if (form === undefined) {
      form = codec.toStored(object);
      this.#storedForms.set(object, form);
    }
    return form;
  }

  /** Whether writing the object would leave what is stored as it is. */
  changesNothing(existing: CacheEntry, object: ApiObject): boolean | Promise<boolean> {
    // Nearly all writes change something, and need nobody to tell them so.
    if (this.definition.codec === undefined && !semanticEqual(object, existing.object)) return false;
    return this.#isStoredSo(existing, object);
  }

  async #isStoredSo(existing: CacheEntry, object: ApiObject): Promise<boolean> {
    return (await this.#saysTheSame(existing, object)) && (await this.modules.kv.isStale?.(existing.key)) !== true;
  }

  /** For what has no codec, what {@link changesNothing} compares was equal. */
  async #saysTheSame(existing: CacheEntry, object: ApiObject): Promise<boolean> {
    if (this.definition.codec === undefined) return !(await this.#isStale(existing));
    const stored = this.stored.byKey(existing.key);
    if (stored?.revision !== existing.revision || stored.stale !== false) return false;
    return semanticEqual(await this.storedForm(object), stored.object);
  }

  /** Compares the stored bytes where nothing else tells: upstream looks at them before it leaves a write out, too. */
  async #isStale(entry: CacheEntry): Promise<boolean> {
    if (entry.stale !== "unknown") return entry.stale;
    const { kv } = await this.modules.kv.get(entry.key);
    const isFresh =
      kv?.modRevision === entry.revision && Buffer.compare(kv.value, this.#encoding.write(entry.object, entry.encoded)) === 0;
    entry.stale = !isFresh;
    return !isFresh;
  }

  /** The resource's versions, for those who compare what was written in several of them. */
  versions(subresource: string): ObjectVersions {
    const formOf = (apiVersion: string): ServedForm | undefined =>
      this.forms.find((form) => form.apiVersion === apiVersion) ?? knownForm(this.definition, apiVersion, schemaFor);
    return {
      find: (apiVersion) => {
        const schema = formOf(apiVersion)?.schema ?? this.definition.codec?.schemaOf(apiVersion);
        return schema && { apiVersion, schema, resetFields: this.resetFields(subresource) };
      },
      convert: (object, from, to) => {
        const schema = this.definition.codec?.schemaOf(to);
        if (this.#memo !== undefined && schema !== undefined) {
          return normalizeOwned(schema, deepCopy(this.#memo.convert(object, to)));
        }
        const [source, target] = [formOf(from), formOf(to)];
        assert(source !== undefined && target !== undefined, `${from} and ${to} are versions of the resource`);
        const served = toServedForm(target, convertToStorage(source, this.definition, deepCopy(object)));
        return normalizeOwned(target.schema, served);
      },
    };
  }

  /** Dotted paths that writes of the resource (empty) or of a subresource do not reach. */
  resetFields(subresource: string): readonly string[] {
    if (subresource === "") return [...(this.hasStatus() ? ["status"] : []), ...(this.strategy.resetFields ?? [])];
    const status = this.statusSubresource(subresource);
    return status === undefined ? [] : (status.resetFields ?? ["spec", ...KEPT_METADATA[status.keepsMetadata ?? "none"]]);
  }

  /** Writes an object's normalised state; undefined when somebody else wrote since `existing`, or has made it. */
  async put(key: string, existing: CacheEntry | undefined, object: ApiObject): Promise<CacheEntry | undefined> {
    const { kv, cache, leases } = this.modules;
    const form = this.storedForm(object);
    const stored = form instanceof Promise ? await form : form;
    const before = this.definition.codec === undefined && existing?.isDecoded === true ? existing : undefined;
    const encoded = encodeObject(stored, before);
    const ttl = this.strategy.ttlSeconds?.(object) ?? 0;
    const lease = ttl > 0 ? await leases.leaseFor(ttl) : 0;
    const value = this.#encoding.write(stored, encoded);
    const write = cache.expect(key, encoded, stored, value);
    try {
      const put = lease === 0 ? { value } : { value, lease };
      const result = await kv.txn({ key, expectedModRevision: existing?.revision ?? 0, put });
      if (cache.revision < result.revision) await cache.waitFor(result.revision);
      if (!result.succeeded) return undefined;
      const { namespace, name } = object.metadata;
      const entry = write.entry ?? new CacheEntry(key, namespace ?? "", name ?? "", result.revision, encoded, stored);
      if (!(this.cache instanceof VersionCache)) return entry;
      const view = this.cache.view(entry);
      await this.ready(view);
      return view;
    } catch (error) {
      throw storageFailure(error);
    } finally {
      if (write.entry === undefined) cache.forget(key, write);
    }
  }

  /** Removes an object; undefined when somebody else wrote since `entry`. */
  async remove(entry: CacheEntry): Promise<CacheEntry | undefined> {
    try {
      const result = await this.modules.kv.txn({ key: entry.key, expectedModRevision: entry.revision });
      await this.modules.cache.waitFor(result.revision);
      return result.succeeded ? entry.deletedAt(result.revision) : undefined;
    } catch (error) {
      throw storageFailure(error);
    }
  }
}

const KEPT_METADATA = { none: [], labels: ["metadata.labels"], all: ["metadata"] } as const;

/** A type parameter's worth of drafts is any object to the generic code. */
export function asDraft(object: ApiObject): Draft<ApiObject> {
  return object as Draft<ApiObject>;
}
