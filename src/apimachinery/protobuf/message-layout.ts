import type { FieldSchema, StructSchema } from "../schema/type-schema.ts";

/** What a field number of a message stands for: a field, or an inlined struct's message with fields of its own. */
export type LayoutEntry = { readonly field: FieldSchema } | { readonly inlined: MessageLayout };

/** The fields of a message by number. */
export type MessageLayout = ReadonlyMap<number, LayoutEntry>;

const layouts = new WeakMap<StructSchema, MessageLayout>();

/** The layout of a struct's message, made once. */
export function layoutOf(schema: StructSchema): MessageLayout {
  let layout = layouts.get(schema);
  if (layout === undefined) {
    layout = buildLayout(schema);
    layouts.set(schema, layout);
  }
  return layout;
}

function buildLayout(schema: StructSchema): MessageLayout {
  const root = new Map<number, LayoutEntry>();
  for (const field of schema.fields.values()) {
    const path = field.protobufPath;
    if (path.at(-1) === 0) continue;
    let level = root;
    for (const number of path.slice(0, -1)) level = inlinedAt(level, number);
    level.set(path.at(-1) ?? 0, { field });
  }
  return root;
}

function inlinedAt(level: Map<number, LayoutEntry>, number: number): Map<number, LayoutEntry> {
  const present = level.get(number);
  if (present !== undefined && "inlined" in present) return present.inlined as Map<number, LayoutEntry>;
  const inlined = new Map<number, LayoutEntry>();
  level.set(number, { inlined });
  return inlined;
}
