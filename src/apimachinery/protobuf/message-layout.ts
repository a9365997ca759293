import type { FieldSchema, StructSchema } from "../schema/type-schema.ts";

/** What a field number of a message stands for: a field, or an inlined struct's message with fields of its own. */
export type LayoutEntry = { readonly field: FieldSchema } | { readonly inlined: MessageLayout };

/** The fields of a message. */
export interface MessageLayout {
  readonly byNumber: ReadonlyMap<number, LayoutEntry>;
  /** Last field first, as messages are written backwards. */
  readonly descending: readonly (readonly [number, LayoutEntry])[];
}

type Level = Map<number, { readonly field: FieldSchema } | { readonly level: Level }>;

const layouts = new WeakMap<StructSchema, MessageLayout>();

/** The layout of a struct's message, made once. */
export function layoutOf(schema: StructSchema): MessageLayout {
  let layout = layouts.get(schema);
  if (layout === undefined) {
    layout = toLayout(levelOf(schema));
    layouts.set(schema, layout);
  }
  return layout;
}

function levelOf(schema: StructSchema): Level {
  const root: Level = new Map();
  for (const field of schema.fields.values()) {
    const path = field.protobufPath;
    if (path.at(-1) === 0) continue;
    let level = root;
    for (const number of path.slice(0, -1)) level = inlinedAt(level, number);
    level.set(path.at(-1) ?? 0, { field });
  }
  return root;
}

function inlinedAt(level: Level, number: number): Level {
  const present = level.get(number);
  if (present !== undefined && "level" in present) return present.level;
  const inlined: Level = new Map();
  level.set(number, { level: inlined });
  return inlined;
}

function toLayout(level: Level): MessageLayout {
  const entries = [...level].map(([number, entry]): readonly [number, LayoutEntry] => [
    number,
    "field" in entry ? entry : { inlined: toLayout(entry.level) },
  ]);
  return { byNumber: new Map(entries), descending: entries.sort(([a], [b]) => b - a) };
}
