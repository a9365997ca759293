import type { ViewField } from "#apimachinery/managedfields/view-fields.ts";
import type { ApiObject, Draft, GroupVersionKind } from "#apimachinery/meta/api-object.ts";
import type { StructSchema } from "#apimachinery/schema/type-schema.ts";
import type { FieldError } from "#apimachinery/validation/field-error.ts";
import type { StoredCodec } from "../cacher/version-entry.ts";
import type { ApiResponse, ResourceRequest } from "../endpoints/response.ts";
import type { PublishedType } from "../openapi/published-type.ts";
import type { RequestContext } from "../request/request-info.ts";

/**
 * One declaration per resource: REST routes, discovery, OpenAPI, storage keys, tables, selectors and watch
 * caches are functions of this value. Objects are in the storage version's canonical JSON form.
 */
export interface ResourceDefinition<T extends object = ApiObject> {
  readonly group: string;
  /** The version whose types `T` and the strategy speak: the storage version. */
  readonly version: string;
  /** Defined while the server runs, by a CustomResourceDefinition: upstream answers for these in ways of their own. */
  readonly custom?: boolean;
  /** Whether clients may ask for the storage version; false only where a definition says so. Default true. */
  readonly storageVersionServed?: boolean;
  /** Further served versions of the same resource; same strategy after conversion. */
  readonly otherVersions?: readonly ServedVersion[];
  /** Versions that nobody is served, and in which objects may still be stored or have their fields' managers. */
  readonly knownVersions?: readonly ServedVersion[];
  /** Sent as a warning with every answer to a request for the storage version. */
  readonly deprecationWarning?: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly scope: "Namespaced" | "Cluster";
  /** Annotations that upstream's internal form holds as fields: left out where only an object's metadata is shown. */
  readonly fieldAnnotations?: readonly string[];
  /** Under `/registry/`: `pods`, `services/specs`, `apiextensions.k8s.io/customresourcedefinitions`. */
  readonly storagePrefix: string;
  /** Table columns after upstream's printers. `Name` first. */
  readonly columns: readonly Column<T>[];
  /** Beyond `metadata.name` and, of what lies in a namespace, `metadata.namespace`. */
  readonly selectableFields?: Readonly<Record<string, (object: T) => string>>;
  /** Those of them by which a list finds objects without looking at all others, after upstream's `Indexers`. */
  readonly indexedFields?: readonly string[];
  /** There are many of these objects, of which few are read: they are kept as bytes alone. */
  readonly readSeldom?: boolean;
  /** What the refusal of another field says, where the kind words it in its own way. */
  readonly unknownFieldSelector?: (
    field: string,
    served: { readonly group: string; readonly version: string; readonly kind: string },
  ) => string;
  /**
   * What stored objects become before anybody sees them, where they may have been stored by other rules. May change its
   * argument. Another function means that all are read anew.
   */
  readonly readStored?: (object: ApiObject) => ApiObject;
  /** Objects hold JSON of any kind, whose whole numbers are to be read exactly. As of custom resources themselves. */
  readonly exactNumbers?: boolean;
  /**
   * How objects of `version` are stored and read, where versions are more than other shapes of one object. `version` is the
   * one that clients speak then, each version has a definition of its own, and none has converters.
   */
  readonly codec?: VersionCodec;
  /** Of custom resources: how OpenAPI tells the type of a version. */
  readonly published?: (version: string) => PublishedType;
  readonly strategy: Strategy<T>;
  /** By name: `status`, `scale`, `binding`, ... */
  readonly subresources?: Readonly<Record<string, Subresource<T>>>;
  /** Verbs on the resource itself; all eight when absent. */
  readonly verbs?: readonly ResourceVerb[];
}

export type ResourceVerb = "create" | "delete" | "deletecollection" | "get" | "list" | "patch" | "update" | "watch";

/** How the objects of one version of a resource become what is stored, and back. */
export interface VersionCodec extends StoredCodec {
  /** `group/version` of every version in which objects may be stored. */
  readonly storedVersions: readonly string[];
  /** The type of a version, served or not; undefined for one that there is not. */
  readonly schemaOf: (apiVersion: string) => StructSchema | undefined;
  /** The object as it is stored; a copy. At once where nobody else is to be asked. Throws or rejects where it cannot be. */
  readonly toStored: (object: ApiObject) => ApiObject | Promise<ApiObject>;
  /** A copy of an object of any version in another. As {@link toStored}. */
  readonly convert: (object: ApiObject, apiVersion: string) => ApiObject | Promise<ApiObject>;
}

/** A served version that is not the storage version. Absent converters mean that the shapes are equal. */
export interface ServedVersion {
  readonly version: string;
  /** Where another group serves the same stored objects (`events.k8s.io` beside the core group). */
  readonly group?: string;
  /** Where they differ from the storage version's; for objects in this version's form. */
  readonly selectableFields?: Readonly<Record<string, (object: ApiObject) => string>>;
  /** From this version's form to the storage form. May change its argument. */
  readonly toStorage?: (object: ApiObject) => ApiObject;
  /** From the storage form to this version's. May change its argument, which is a copy. */
  readonly fromStorage?: (object: ApiObject) => ApiObject;
  /** Defaults of this version, set before conversion; the storage version's do not follow then. */
  readonly setDefaults?: (object: ApiObject) => void;
  /** Instead of the resource's own of these names, or besides them. */
  readonly subresources?: Readonly<Record<string, Subresource<ApiObject>>>;
  /** Instead of the strategy's. */
  readonly defaultPropagation?: "Orphan";
  readonly deprecationWarning?: string;
  /** The version as a resource of its own, where the resource has a `codec`. */
  readonly definition?: ResourceDefinition;
}

/** The subresources of a resource in one of its versions; undefined stands for the storage version. */
export function subresourcesOf<T extends object>(
  definition: ResourceDefinition<T>,
  other: ServedVersion | undefined,
): Readonly<Record<string, Subresource<T>>> {
  if (other?.definition !== undefined) {
    return (other.definition.subresources ?? {}) as Readonly<Record<string, Subresource<T>>>;
  }
  // Objects are in their storage form whatever version is asked for.
  const own = other?.subresources as Readonly<Record<string, Subresource<T>>> | undefined;
  return own === undefined ? (definition.subresources ?? {}) : { ...definition.subresources, ...own };
}

/** One column of `kubectl get`. */
export interface Column<T> {
  readonly name: string;
  readonly type: "string" | "integer" | "number" | "boolean" | "date";
  /** OpenAPI format; `name` for the first column. */
  readonly format?: string;
  readonly description: string;
  /** 0 is always shown, 1 with `-o wide`. */
  readonly priority?: number;
  /** `now` is for ages, in milliseconds. */
  readonly cell: (object: T, now: number) => string | number | bigint | boolean | null;
}

/** Undoes what a `begin` hook did (an allocated IP) when the write fails; `commit` when it succeeded. */
export interface Transaction {
  commit?(): void;
  rollback?(): void;
}

/** How one kind differs from the others. Every hook is optional; none does I/O but the `begin` hooks. */
export interface Strategy<T extends object> {
  /** PUT of an absent object makes it. Default false. */
  readonly allowCreateOnUpdate?: boolean;
  /** PUT without resourceVersion is accepted. Default true. */
  readonly allowUnconditionalUpdate?: boolean;
  /** Messages for a bad name, as upstream's `ValidateObjectMeta` name function; `prefix` for generateName. Default: DNS-1123 subdomain. */
  readonly validateName?: (name: string, prefix: boolean) => string[];
  /** Further messages for a new object's name, which must fit what else the object says. */
  readonly validateNameOf?: (object: T, name: string) => string[];
  /** Finalizers need no domain: kinds whose metadata upstream checks by the rules of custom resources. */
  readonly anyFinalizers?: boolean;
  /** The name that `generateName` gives, where it is not that with five random characters behind it. */
  readonly generateName?: (base: string) => string;
  /** Upstream's `SetObjectDefaults_*`. Runs on every decoded body and patch result, before admission. Idempotent. */
  readonly setDefaults?: (object: Draft<T>) => void;
  /** A new object may bring its status along (Node). */
  readonly keepStatusOnCreate?: boolean;
  /** Loads what validation needs and nothing needs before; awaited ahead of the hooks of every write. */
  readonly load?: () => Promise<void>;
  /** Drops what a client may not set. The generic store has already removed `status` where a status subresource exists. */
  readonly prepareForCreate?: (object: Draft<T>, context: RequestContext) => void;
  readonly validate?: (object: T, context: RequestContext) => FieldError[];
  /** Keeps what an update may not change. The generic store has already put the old `status` back where a status subresource exists. */
  readonly prepareForUpdate?: (object: Draft<T>, old: T, context: RequestContext) => void;
  /** Only the update's own rules and `validate`'s as upstream combines them; the generic metadata rules run before. */
  readonly validateUpdate?: (object: T, old: T, context: RequestContext) => FieldError[];
  readonly warningsOnCreate?: (object: T) => string[];
  readonly warningsOnUpdate?: (object: T, old: T) => string[];
  readonly warningsOnDelete?: (options: DeleteOptions) => string[];
  /** Why the object of this name may not be deleted by itself; undefined where it may. */
  readonly refuseDelete?: (name: string) => string | undefined;
  /** Keeps `metadata.generation`: 1 at creation, one more when this says that the desired state changed. */
  readonly generationChanges?: (object: T, old: T) => boolean;
  /** Grace period in seconds for a graceful delete; undefined means delete at once. `requested` is undefined when the client gave none. */
  readonly gracefulDeletion?: (object: T, requested: number | undefined) => number | undefined;
  /** Jobs and ReplicationControllers orphan by default. */
  readonly defaultPropagation?: "Orphan" | "Background" | "Unsupported";
  /** DELETE of an object that goes at once answers with the object instead of a Status, as upstream's `ReturnDeletedObject`. */
  readonly returnDeletedObject?: boolean;
  /** Kinds that end by their own finalization (Namespace): DELETE only marks the object until nothing is pending any more. */
  readonly finalization?: {
    /** Whether something still has to be cleaned up before the object may go. */
    readonly pending: (object: T) => boolean;
    /** What the first DELETE changes beyond `metadata.deletionTimestamp`. */
    readonly begin: (object: Draft<T>) => void;
  };
  /** Allocation and the like: may change the object, runs after validation, before the write. */
  readonly beginCreate?: (object: Draft<T>, context: RequestContext, dryRun: boolean) => Promise<Transaction>;
  readonly beginUpdate?: (object: Draft<T>, old: T, context: RequestContext, dryRun: boolean) => Promise<Transaction>;
  /** After the object is gone from the store: release what it held. */
  readonly afterDelete?: (object: T) => void;
  /** Top-level or dotted fields that `managedFields` never shows for main-resource writes, e.g. `status`. Derived when a status subresource exists. */
  readonly resetFields?: readonly string[];
  /** Seconds that an object lives (events): its key is attached to a lease. */
  readonly ttlSeconds?: (object: T) => number;
}

/** A subresource: either a view on the stored object, or a function. */
export type Subresource<T extends object> = StatusSubresource<T> | UpdateSubresource<T> | ConnectSubresource<T>;

/** `status`, and what behaves like it: get, put and patch of the whole object, of which only a part is taken. */
export interface StatusSubresource<T extends object> {
  readonly type: "status";
  /** Puts back everything that this subresource may not change. Default: keeps the old object but `status` and `metadata`. */
  readonly prepareForUpdate?: (object: Draft<T>, old: T, context: RequestContext) => void;
  readonly validateUpdate?: (object: T, old: T, context: RequestContext) => FieldError[];
  readonly setDefaults?: (object: Draft<T>) => void;
  /** Metadata that is kept as it was: `all` that upstream's `ResetObjectMetaForStatus` keeps, or the labels. */
  readonly keepsMetadata?: "all" | "labels";
  /** Dotted fields that its writers never own. Default: `spec`, and what `keepsMetadata` keeps. */
  readonly resetFields?: readonly string[];
  readonly verbs?: readonly ("get" | "update" | "patch")[];
  readonly generationChanges?: (object: T, old: T) => boolean;
  readonly warningsOnUpdate?: (object: T, old: T) => string[];
}

/** A view of another kind, such as `scale`: read from the object, and written into it. */
export interface UpdateSubresource<T extends object> {
  readonly type: "view";
  readonly kind: GroupVersionKind;
  readonly read: (object: T) => ApiObject;
  readonly write: (view: ApiObject, object: Draft<T>) => void;
  /** As `read`, for a view that is about to be written: less need be there. */
  readonly readForWrite?: (object: T) => ApiObject;
  /** Instead of that of the version it is asked for in. */
  readonly deprecationWarning?: string;
  readonly validate?: (view: ApiObject) => FieldError[];
  /** `validate` names fields of the object, not of the view. */
  readonly faultsOfObject?: boolean;
  /** The paths that a write of the view changes: in the object, and what they are called in the view. */
  readonly fields?: readonly ViewField[];
  /** Names in discovery: false leaves `group` and `version` of the kind out. */
  readonly verbs?: readonly ("get" | "update" | "patch")[];
}

/** A function of the resource: POST `binding`, `eviction`, `token`; GET `log`. */
export interface ConnectSubresource<T extends object> {
  readonly type: "connect";
  readonly kind: GroupVersionKind;
  readonly verbs: readonly ("create" | "get" | "update" | "patch" | "delete")[];
  /** Whatever stands behind its name in the path belongs to it, as with `proxy`. */
  readonly takesPath?: boolean;
  /** Instead of that of the version it is asked for in. */
  readonly deprecationWarning?: string;
  /** A connection: admission is asked before, with the options of `kind` that the query gives. */
  readonly admitted?: boolean;
  /** How `Store.update` writes under this subresource's name. */
  readonly write?: StatusSubresource<T>;
  /** Handles a POST (`create`) whose body was decoded as `kind`; returns the object to answer with 201 (or a Status). */
  readonly create?: (
    name: string,
    body: ApiObject,
    context: RequestContext,
    store: Store<T>,
    dryRun: boolean,
  ) => Promise<ApiObject>;
  /** Needs the right to `create` whatever its method: WebSockets begin with a GET (upstream's issue 133515). */
  readonly needsCreate?: boolean;
  /** Handles the verbs that stream or answer something else than an object. `options` are what admission saw, of `kind`. */
  readonly connect?: (name: string, request: ResourceRequest, store: Store<T>, options: ApiObject) => Promise<ApiResponse>;
}

/** A resource without storage: reviews, `componentstatuses`, `bindings`. */
export interface VirtualResource {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames?: readonly string[];
  readonly scope: "Namespaced" | "Cluster";
  readonly deprecationWarning?: string;
  readonly columns?: readonly Column<ApiObject>[];
  readonly create?: (body: ApiObject, context: RequestContext, dryRun: boolean) => Promise<ApiObject>;
  readonly get?: (name: string, context: RequestContext) => Promise<ApiObject>;
  readonly list?: (context: RequestContext) => Promise<ApiObject[]>;
  /** What can be read and replaced can be patched. */
  readonly update?: (name: string, body: ApiObject, context: RequestContext, dryRun: boolean) => Promise<ApiObject>;
  readonly delete?: (name: string, options: DeleteOptions, context: RequestContext) => Promise<ApiObject>;
}

export interface DeleteOptions {
  gracePeriodSeconds?: number;
  propagationPolicy?: string;
  orphanDependents?: boolean;
  preconditions?: { uid?: string; resourceVersion?: string };
  dryRun?: string[];
}

/** Typed access to one stored resource: what subresources, admission and allocators use, inside the server. */
export interface Store<T extends object = ApiObject> {
  /** From the watch cache, without waiting. Shared and read-only: copy before changing. */
  cached(namespace: string, name: string): T | undefined;
  /** All cached objects of a namespace, or of all when empty. Shared and read-only. */
  listCached(namespace: string): readonly T[];
  /** Throws a NotFound StatusError. */
  get(namespace: string, name: string): Promise<T>;
  create(object: T, context: RequestContext, options?: { dryRun?: boolean; fieldManager?: string }): Promise<T>;
  /**
   * Reads, lets `change` alter a copy, validates and writes; retried when somebody else wrote in between.
   * `subresource` selects its strategy; empty for the main resource. Skips admission. With `shallow` the copy has its own members
   * and its own members of these, and shares what lies below with what is stored: `change` replaces there, and alters nothing.
   */
  update(
    namespace: string,
    name: string,
    change: (draft: Draft<T>) => void,
    context: RequestContext,
    options?: { subresource?: string; dryRun?: boolean; fieldManager?: string; skipValidation?: boolean; shallow?: boolean },
  ): Promise<T>;
  delete(namespace: string, name: string, options: DeleteOptions, context: RequestContext): Promise<ApiObject>;
}
