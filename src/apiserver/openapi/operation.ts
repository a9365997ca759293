import type { OperationKind } from "./served-resource.ts";

/** What an answer or a body holds: a type by OpenAPI name, or plain text. */
export type Content = { readonly type: string } | "string";

export interface Parameter {
  readonly name: string;
  readonly in: "query" | "path";
  readonly type: "string" | "boolean" | "integer";
  readonly description: string;
}

export interface Body {
  readonly type: string;
  readonly required: boolean;
  readonly consumes: readonly string[];
}

/** One HTTP operation, in neither version's words. */
export interface Operation {
  readonly method: string;
  readonly id: string;
  readonly description?: string;
  readonly tag: string;
  readonly action?: string;
  readonly kind?: OperationKind;
  readonly parameters: readonly Parameter[];
  readonly body?: Body;
  readonly consumes?: readonly string[];
  readonly produces?: readonly string[];
  /** Status codes that all answer with `content`. */
  readonly codes: readonly number[];
  readonly content?: Content;
}

/** Operations by path. */
export type Paths = ReadonlyMap<string, readonly Operation[]>;

/** The parameters that all operations of a path share; documents tell these once. */
export function sharedParameters(operations: readonly Operation[]): readonly Parameter[] {
  const [first, ...others] = operations;
  const has = (operation: Operation, parameter: Parameter): boolean => operation.parameters.some((p) => isSame(p, parameter));
  return (first?.parameters ?? []).filter((parameter) => others.every((operation) => has(operation, parameter)));
}

function isSame(a: Parameter, b: Parameter): boolean {
  return a.name === b.name && a.in === b.in && a.description === b.description;
}

/** In the order of documents. */
export function sortParameters(parameters: readonly Parameter[]): Parameter[] {
  return [...parameters].sort((a, b) => (a.name === b.name ? (a.in < b.in ? -1 : 1) : a.name < b.name ? -1 : 1));
}
