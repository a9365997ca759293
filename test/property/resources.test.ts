import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { StatusError } from "#apimachinery/api-errors/status.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { deepCopy } from "#apimachinery/meta/deep-copy.ts";
import { decodeObject } from "#apimachinery/schema/decode.ts";
import { normalizeObject } from "#apimachinery/schema/normalize.ts";
import { schemaFor } from "#apimachinery/schema/registry.ts";
import type { ResourceDefinition, Strategy } from "#apiserver/registry/resource.ts";
import {
  convertToStorage,
  type ServedForm,
  servedForms,
  toServedForm,
  toStorageForm,
} from "#apiserver/registry/store/served-form.ts";
import { DEFAULT_COLUMNS, partialMetadata, tableRow } from "#apiserver/table/table.ts";
import { refusing } from "../fuzz/target.ts";
import { contextOf, NOW, pureResources } from "./built-in-resources.ts";
import { canonical, objectsOf } from "./objects.ts";
import { runs } from "./runs.ts";

const definitions = pureResources().stored as readonly ResourceDefinition[];
const forms = definitions.flatMap((definition) =>
  servedForms(definition, schemaFor).map((form) => ({ definition, form, name: `${form.apiVersion} ${form.kind}` })),
);

beforeAll(async () => {
  for (const { strategy } of definitions) await strategy.load?.();
});

const RUNS = 6;

/** As a client sends it: in the form's version, with its defaults. */
function withDefaults(form: ServedForm, strategy: Strategy<ApiObject>, object: ApiObject): ApiObject {
  const copy = deepCopy(object) as ApiObject;
  if (form.other?.setDefaults !== undefined) form.other.setDefaults(copy);
  else if (form.other === undefined) strategy.setDefaults?.(copy);
  return normalizeObject(form.schema, copy);
}

test.each(forms)("$name: defaults set twice are set once", ({ definition, form }) => {
  fc.assert(
    fc.property(objectsOf(form), (given) => {
      const once = withDefaults(form, definition.strategy, canonical(form, given));
      expect(withDefaults(form, definition.strategy, once)).toEqual(once);
    }),
    runs(RUNS),
  );
});

test.each(forms)("$name: hooks, printers and selectors take whatever is of the right types", ({ definition, form }) => {
  const { strategy, columns, selectableFields = {}, subresources = {} } = definition;
  const context = contextOf(definition.plural);
  const sent = (given: object): ApiObject => {
    const { object: decoded } = decodeObject(form.schema, structuredClone(given));
    const own = { ...decoded, apiVersion: form.apiVersion, kind: form.kind } as unknown as ApiObject;
    if (form.other === undefined) strategy.setDefaults?.(own as never);
    const object = toStorageForm(form, definition, own);
    if (form.other !== undefined && form.other.setDefaults === undefined) strategy.setDefaults?.(object as never);
    return object;
  };
  const [storageForm] = servedForms(definition, schemaFor) as [ServedForm];
  const stored = (given: object): ApiObject => normalizeObject(storageForm.schema, sent(given));
  fc.assert(
    fc.property(objectsOf(form), objectsOf(form), (given, before) => {
      const [object, old] = [sent(given), stored(before)];
      const created = deepCopy(object) as ApiObject;
      refusing([StatusError], () => strategy.prepareForCreate?.(created as never, context));
      strategy.validateNameOf?.(created, "a");
      expect(strategy.validate?.(created, context) ?? []).toBeInstanceOf(Array);
      strategy.warningsOnCreate?.(created);
      const updated = deepCopy(object) as ApiObject;
      refusing([StatusError], () => strategy.prepareForUpdate?.(updated as never, old, context));
      strategy.validateUpdate?.(updated, old, context);
      strategy.warningsOnUpdate?.(updated, old);
      strategy.generationChanges?.(updated, old);
      strategy.gracefulDeletion?.(updated, undefined);
      strategy.finalization?.pending(updated);
      for (const subresource of Object.values(subresources)) {
        // A selector that cannot be read is refused before it is stored.
        if (subresource.type === "view") refusing([Error], () => subresource.read(stored(given)));
        if (subresource.type !== "status") continue;
        const status = deepCopy(object) as ApiObject;
        subresource.setDefaults?.(status as never);
        subresource.prepareForUpdate?.(status as never, old, context);
        subresource.validateUpdate?.(status, old, context);
        subresource.warningsOnUpdate?.(status, old);
      }
      const kept = stored(given);
      for (const field of Object.values(selectableFields)) expect(typeof field(kept)).toBe("string");
      for (const include of ["None", "Metadata", "Object"] as const) {
        for (const shown of [columns, DEFAULT_COLUMNS]) {
          const { cells } = tableRow(shown, kept, kept, include, "v1", NOW);
          for (const cell of cells) expect(["string", "number", "boolean"]).toContain(cell === null ? "string" : typeof cell);
        }
      }
      partialMetadata(kept, "v1", definition.fieldAnnotations);
    }),
    runs(RUNS),
  );
});

test.each(forms.filter(({ form }) => form.other !== undefined))(
  "$name: nothing is lost on the way to the stored version and back",
  ({ definition, form }) => {
    fc.assert(
      fc.property(objectsOf(form), (given) => {
        const object = withDefaults(form, definition.strategy, canonical(form, withBasics(form, given)));
        const stored = convertToStorage(form, definition, deepCopy(object) as ApiObject);
        const [storageForm] = servedForms(definition, schemaFor) as [ServedForm];
        const kept = normalizeObject(storageForm.schema, stored);
        expect(toServedForm(form, kept)).toEqual(object);
      }),
      runs(RUNS),
    );
  },
);

/** A device of a ResourceSlice in v1beta1 is nothing without `basic`, and gets an empty one. */
function withBasics({ kind, version }: ServedForm, given: Record<string, unknown>): Record<string, unknown> {
  const { devices } = (given.spec ?? {}) as { devices?: { basic?: object }[] };
  if (kind === "ResourceSlice" && version === "v1beta1") for (const device of devices ?? []) device.basic ??= {};
  return given;
}
