import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { exactJson } from "#apimachinery/schema/exact-json.ts";
import type { CacheEntry } from "../../cacher/cache-entry.ts";
import type { Column } from "../../registry/resource.ts";
import { encodedInForm, type ServedForm } from "../../registry/store/served-form.ts";
import { hidesAnnotations, type IncludeObject, type MetaVersion, partialMetadata, table, tableHead } from "../../table/table.ts";
import { AnswerWriter } from "./answer-writer.ts";
import { RowPace } from "./list-pace.ts";

/** A list to be shown in another form than its own. */
export interface ShownList {
  readonly form: ServedForm;
  readonly entries: readonly CacheEntry[];
  readonly metadata: object;
  readonly version: MetaVersion;
}

/** A table as JSON: the cells are made, what goes along with them is copied from the stored bytes. */
export async function tableBytes(
  { form, entries, metadata, version }: ShownList,
  columns: readonly Column<ApiObject>[],
  include: IncludeObject,
  now: number,
): Promise<Uint8Array> {
  const writer = new AnswerWriter();
  if (entries.length === 0) {
    writer.text(`${JSON.stringify(table(columns, metadata, [], version))}\n`);
    return writer.bytes();
  }
  writer.text(JSON.stringify(tableHead(columns, metadata, version)).slice(0, -1));
  const pace = new RowPace();
  for (const [i, entry] of entries.entries()) {
    const pause = pace.before(entry);
    if (pause !== undefined) await pause;
    const { object } = entry;
    const cells = exactJson(columns.map((column) => column.cell(object, now)));
    writer.text(`${i === 0 ? ',"rows":[' : ","}{"cells":${cells},"object":`);
    if (include === "None") writer.text("null");
    else if (include === "Object") writer.object(encodedInForm(form, entry), entry.revision);
    else writePartial(writer, form, entry, version);
    writer.text("}");
  }
  writer.text("]}\n");
  return writer.bytes();
}

/** A `PartialObjectMetadataList` as JSON, copied from the stored bytes. */
export async function partialListBytes({ form, entries, metadata, version }: ShownList): Promise<Uint8Array> {
  const head = { kind: "PartialObjectMetadataList", apiVersion: `meta.k8s.io/${version}`, metadata, items: null };
  const writer = new AnswerWriter();
  if (entries.length === 0) {
    writer.text(`${JSON.stringify(head)}\n`);
    return writer.bytes();
  }
  writer.text(JSON.stringify(head).slice(0, -"null}".length));
  const pace = new RowPace();
  for (const [i, entry] of entries.entries()) {
    const pause = form.fieldAnnotations.length > 0 ? pace.before(entry) : pace.beforeCopy();
    if (pause !== undefined) await pause;
    writer.text(i === 0 ? "[" : ",");
    writePartial(writer, form, entry, version);
  }
  writer.text("]}\n");
  return writer.bytes();
}

function writePartial(writer: AnswerWriter, form: ServedForm, entry: CacheEntry, version: MetaVersion): void {
  // Of most kinds nothing is hidden: they need not be decoded for it.
  if (form.fieldAnnotations.length > 0 && hidesAnnotations(entry.object, form.fieldAnnotations)) {
    writer.text(JSON.stringify(partialMetadata(entry.object, version, form.fieldAnnotations)));
    return;
  }
  writer.text(`{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/${version}","metadata":`);
  writer.metadata(entry.encoded, entry.revision);
  writer.text("}");
}
