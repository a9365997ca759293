import { applyConflict } from "../api-errors/errors.ts";
import type { StatusError } from "../api-errors/status.ts";
import { goQuote } from "../validation/field-error.ts";
import { type FieldSet, isMember, LEAF, SELF } from "./field-set.ts";
import type { Manager } from "./managed.ts";

/** The fields that one other manager owns and that an apply would change. */
export interface Conflict {
  readonly manager: Manager;
  readonly fields: FieldSet;
}

/** Upstream's `NewConflictError`: 409 with a cause for each field. */
export function conflictError(conflicts: readonly Conflict[]): StatusError {
  const byManager = [...conflicts].sort((a, b) => (sortKey(a.manager) < sortKey(b.manager) ? -1 : 1));
  const lines = byManager.map(({ manager, fields }) => ({ name: shownManager(manager), paths: pathsOf(fields) }));
  const causes = lines.flatMap(({ name, paths }) =>
    paths.map((field) => ({ reason: "FieldManagerConflict", message: `conflict with ${name}`, field })),
  );
  const [first] = lines;
  if (first !== undefined && causes.length === 1) {
    return applyConflict(causes, `Apply failed with 1 conflict: conflict with ${first.name}: ${first.paths[0]}`);
  }
  const texts = lines.flatMap(({ name, paths }) => [`conflicts with ${name}:`, ...paths.map((path) => `- ${path}`)]);
  return applyConflict(causes, `Apply failed with ${causes.length} conflicts: ${texts.join("\n")}`);
}

/** Upstream sorts managers by the JSON that identifies them. */
function sortKey({ name, operation, apiVersion, subresource }: Manager): string {
  return JSON.stringify([name, operation, operation === "Apply" ? "" : apiVersion, subresource]);
}

function shownManager({ name, operation, apiVersion, subresource }: Manager): string {
  const text = subresource === "" ? goQuote(name) : `${goQuote(name)} with subresource ${goQuote(subresource)}`;
  return operation === "Update" ? `${text} using ${apiVersion}` : text;
}

/** All paths as text: of each node first the members, then what lies below them. */
function pathsOf(set: FieldSet, prefix = ""): string[] {
  const steps = Object.keys(set).filter((step) => step !== SELF);
  const members = steps.filter((step) => isMember(set[step] ?? LEAF)).map((step) => prefix + pathOfStep(step));
  return [...members, ...steps.flatMap((step) => pathsOf(set[step] ?? LEAF, prefix + pathOfStep(step)))];
}

/** A step as it stands in messages: `.name`, `[name="x"]`, `[="v"]` or `[3]`. */
export function pathOfStep(step: string): string {
  const rest = step.slice(2);
  switch (step[0]) {
    case "k": {
      const keys = Object.entries(JSON.parse(rest) as Record<string, unknown>);
      return `[${keys.map(([name, value]) => `${name}=${shownValue(value)}`).join(",")}]`;
    }
    case "v":
      return `[=${shownValue(JSON.parse(rest))}]`;
    case "i":
      return `[${rest}]`;
    default:
      return `.${rest}`;
  }
}

function shownValue(value: unknown): string {
  return typeof value === "string" ? goQuote(value) : JSON.stringify(value);
}
