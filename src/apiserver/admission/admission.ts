import { aggregateFieldErrors, forbidden, isForbidden } from "#apimachinery/api-errors/errors.ts";
import type { StatusError } from "#apimachinery/api-errors/status.ts";
import type { ApiObject, GroupVersionKind, ObjectMeta } from "#apimachinery/meta/api-object.ts";
import type { StructSchema } from "#apimachinery/schema/type-schema.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { validateManagedFields } from "#apimachinery/validation/managed-fields.ts";
import type { Clock } from "#base/clock.ts";
import type { Random } from "#base/random.ts";
import type { Stores } from "../registry/resource-set.ts";
import type { RequestContext } from "../request/request-info.ts";

/** What a request wants to do, as upstream's `admission.Attributes`. Objects are in the storage version's form. */
export interface AdmissionAttributes {
  readonly operation: "CREATE" | "UPDATE" | "DELETE" | "CONNECT";
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly kind: string;
  /** Empty for the resource itself. */
  readonly subresource: string;
  readonly namespace: string;
  /** Empty for a create whose name is still to be generated. */
  readonly name: string;
  /** What is to be stored, or a subresource's own object; absent for DELETE. Mutating plugins change it in place. */
  readonly object: ApiObject | undefined;
  /** What is stored; absent for CREATE. Read-only. */
  readonly oldObject: ApiObject | undefined;
  readonly dryRun: boolean;
  readonly context: RequestContext;
  /** Where the object is of another group and version than the resource: the `Scale` of a deployment. */
  readonly objectKind?: GroupVersionKind;
  /** What a DELETE was asked with. */
  readonly options?: object;
  /** The object in the versions that clients know. Absent for what has no versions. */
  readonly forms?: AdmissionForms;
}

/** How an object looks in every version that its resource is served in. */
export interface AdmissionForms {
  /** The versions, the storage version first. */
  readonly served: readonly GroupVersionKind[];
  /** A copy of an object in storage form as clients of this version read it. Asserts that the version is served. */
  toVersion(object: ApiObject, kind: GroupVersionKind): ApiObject;
  /** The storage form of what a client of this version might have sent, with defaults. Throws a DecodeError. Takes its argument over. */
  fromVersion(value: unknown, kind: GroupVersionKind): ApiObject;
  /** Asserts that the version is served. */
  schemaOf(kind: GroupVersionKind): StructSchema;
}

/**
 * What plugins remember between the first round of mutation and the second, which there is when one of them asks for it
 * (upstream's `ReinvocationContext`).
 */
export class Reinvocation {
  /** This is the second round. */
  isReinvoke = false;
  /** Somebody changed the object after others had seen it. */
  shouldReinvoke = false;
  #values: Map<string, unknown> | undefined;

  /** By plugin name. */
  get values(): Map<string, unknown> {
    this.#values ??= new Map();
    return this.#values;
  }
}

/** A step between decoding and storing. Throws a StatusError to refuse. Hooks that need no I/O return nothing. */
export interface AdmissionPlugin {
  /** Upstream's name, as in `--enable-admission-plugins`. */
  readonly name: string;
  readonly mutate?: (attributes: AdmissionAttributes, reinvocation: Reinvocation) => Promise<void> | void;
  readonly validate?: (attributes: AdmissionAttributes) => Promise<void> | void;
}

/** What plugins may use. */
export interface AdmissionModules {
  readonly stores: Stores;
  readonly clock: Clock;
  readonly random: Random;
}

/** Makes a plugin when the stores exist. */
export type AdmissionPluginFactory = (modules: AdmissionModules) => AdmissionPlugin;

/** The plugins in order: all mutate before the object is validated, all validate after. */
export class AdmissionChain {
  readonly #mutating: readonly AdmissionPlugin[];
  readonly #validating: readonly AdmissionPlugin[];

  constructor(plugins: readonly AdmissionPlugin[]) {
    this.#mutating = plugins.filter((plugin) => plugin.mutate !== undefined);
    this.#validating = plugins.filter((plugin) => plugin.validate !== undefined);
  }

  /**
   * Lets all plugins change the object; once more when one of them changed what others had seen. A promise only where one of
   * them has to wait: hardly any request meets one that has.
   */
  mutate(attributes: AdmissionAttributes): Promise<void> | undefined {
    const reinvocation = new Reinvocation();
    const before = attributes.object?.metadata?.managedFields;
    const pending = inTurn(this.#mutating, (plugin) => plugin.mutate?.(attributes, reinvocation));
    if (pending !== undefined || reinvocation.shouldReinvoke) return this.#mutateOn(attributes, reinvocation, before, pending);
    if (attributes.object?.metadata?.managedFields !== before) mendManagedFields(attributes, before);
    return undefined;
  }

  async #mutateOn(
    attributes: AdmissionAttributes,
    reinvocation: Reinvocation,
    before: ObjectMeta["managedFields"],
    firstRound: Promise<void> | undefined,
  ): Promise<void> {
    await firstRound;
    if (reinvocation.shouldReinvoke) {
      reinvocation.isReinvoke = true;
      await inTurn(this.#mutating, (plugin) => plugin.mutate?.(attributes, reinvocation));
    }
    if (attributes.object?.metadata?.managedFields !== before) mendManagedFields(attributes, before);
  }

  /** As {@link mutate}, for what the object has become. */
  validate(attributes: AdmissionAttributes): Promise<void> | undefined {
    return inTurn(this.#validating, (plugin) => plugin.validate?.(attributes));
  }
}

type Ask = (plugin: AdmissionPlugin) => Promise<void> | void;

/** Asks one plugin after the other; a promise from the first one on that has to wait. */
function inTurn(plugins: readonly AdmissionPlugin[], ask: Ask): Promise<void> | undefined {
  for (let at = 0; at < plugins.length; at++) {
    const pending = ask(plugins[at] as AdmissionPlugin);
    if (pending !== undefined) return restInTurn(pending, plugins.slice(at + 1), ask);
  }
  return undefined;
}

async function restInTurn(first: Promise<void>, rest: readonly AdmissionPlugin[], ask: Ask): Promise<void> {
  await first;
  for (const plugin of rest) {
    const pending = ask(plugin);
    if (pending !== undefined) await pending;
  }
}

/** Managers that were changed into something invalid are put back, with a warning (upstream's managed fields admission). */
function mendManagedFields({ object, context }: AdmissionAttributes, before: ObjectMeta["managedFields"]): void {
  const errors = validateManagedFields(object?.metadata.managedFields, FieldPath.of("metadata").child("managedFields"));
  if (object === undefined || errors.length === 0) return;
  if (before === undefined) delete object.metadata.managedFields;
  else object.metadata.managedFields = before;
  context.warnings.push(`${INVALID_MANAGED_FIELDS}${aggregateFieldErrors(errors)}`);
}

const INVALID_MANAGED_FIELDS =
  ".metadata.managedFields was in an invalid state after admission; this could be caused by an outdated mutating admission controller; please fix your requests: ";

/** A refusal as upstream's `admission.NewForbidden`: names the object, or what its name will be made from. */
export function admissionForbidden(attributes: AdmissionAttributes, reason: string | StatusError): StatusError {
  if (typeof reason !== "string" && isForbidden(reason)) return reason;
  const meta = attributes.object?.metadata;
  const name = attributes.name || meta?.name || meta?.generateName || "Unknown";
  const message = typeof reason === "string" ? reason : reason.message;
  return forbidden({ group: attributes.group, resource: attributes.resource }, name, message);
}
