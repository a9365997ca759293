import type { ApiObject, GroupVersionKind } from "#apimachinery/meta/api-object.ts";
import { formatGroupVersion } from "#apimachinery/meta/api-object.ts";
import { deepCopy } from "#apimachinery/meta/deep-copy.ts";
import { decodeObject } from "#apimachinery/schema/decode.ts";
import { normalizeObject } from "#apimachinery/schema/normalize.ts";
import type { StructSchema } from "#apimachinery/schema/type-schema.ts";
import { assert } from "#base/assert.ts";
import type { AdmissionAttributes, AdmissionForms } from "../../admission/admission.ts";
import type { ConversionMemo } from "../../conversion/conversion-memo.ts";
import type { ResourceDefinition } from "../resource.ts";
import { type ServedForm, toServedForm, toStorageForm } from "./served-form.ts";

/** The versions of a stored resource. */
export class ResourceForms implements AdmissionForms {
  readonly #definition: ResourceDefinition;
  readonly #forms: readonly ServedForm[];
  readonly #memo: ConversionMemo | undefined;

  /** `memo` converts where versions have codecs. */
  constructor(definition: ResourceDefinition, forms: readonly ServedForm[], memo?: ConversionMemo) {
    this.#definition = definition;
    this.#forms = forms;
    this.#memo = memo;
  }

  get served(): readonly GroupVersionKind[] {
    return this.#forms;
  }

  toVersion(object: ApiObject, kind: GroupVersionKind): ApiObject {
    const form = this.#form(kind);
    if (this.#memo !== undefined) return normalizeObject(form.schema, this.#memo.convert(object, form.apiVersion));
    return form.other === undefined ? normalizeObject(form.schema, object) : toServedForm(form, object);
  }

  fromVersion(value: unknown, kind: GroupVersionKind): ApiObject {
    const form = this.#form(kind);
    const object = decoded(form.schema, value, form);
    if (this.#memo !== undefined) {
      const own = this.#forms[0] ?? form;
      return deepCopy(this.#memo.convert(object, own.apiVersion));
    }
    const stored = toStorageForm(form, this.#definition, object);
    if (form.other?.setDefaults === undefined) this.#definition.strategy.setDefaults?.(stored);
    return stored;
  }

  schemaOf(kind: GroupVersionKind): StructSchema {
    return this.#form(kind).schema;
  }

  #form({ group, version }: GroupVersionKind): ServedForm {
    const form = this.#forms.find((each) => each.group === group && each.version === version);
    assert(form !== undefined, `${group}/${version} serves ${this.#definition.plural}`);
    return form;
  }
}

/** A view on a stored object, such as `scale`, or the body of a function: it has one version only. */
export class ObjectView implements AdmissionForms {
  readonly served: readonly GroupVersionKind[];
  readonly #kind: GroupVersionKind;
  readonly #schema: StructSchema;
  readonly #read: (object: ApiObject) => ApiObject;

  constructor(kind: GroupVersionKind, schema: StructSchema, read: (object: ApiObject) => ApiObject) {
    this.served = [kind];
    this.#kind = kind;
    this.#schema = schema;
    this.#read = read;
  }

  /** The same request, as one for the view. */
  attributes(attributes: AdmissionAttributes): AdmissionAttributes {
    const { object, oldObject } = attributes;
    return {
      ...attributes,
      kind: this.#kind.kind,
      objectKind: this.#kind,
      object: object && this.#read(object),
      oldObject: oldObject && this.#read(oldObject),
      forms: this,
    };
  }

  toVersion(object: ApiObject): ApiObject {
    return normalizeObject(this.#schema, object);
  }

  fromVersion(value: unknown): ApiObject {
    return decoded(this.#schema, value, this.#kind);
  }

  schemaOf(): StructSchema {
    return this.#schema;
  }
}

function decoded(schema: StructSchema, value: unknown, { group, version, kind }: GroupVersionKind): ApiObject {
  const object = decodeObject(schema, value).object as unknown as ApiObject & Record<string, unknown>;
  object.apiVersion = formatGroupVersion(group, version);
  object.kind = kind;
  object.metadata ??= {};
  return object;
}
