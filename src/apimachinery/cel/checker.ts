import type { Call, Comprehension, Entry, Expr, ListLiteral, MapLiteral, Select, StructLiteral } from "./ast.ts";
import type { Environment, Overload } from "./declarations.ts";
import type { Issue } from "./issues.ts";
import { Scopes } from "./scopes.ts";
import { TypeInference } from "./type-inference.ts";
import { isDynOrError } from "./type-unification.ts";
import {
  BOOL,
  BYTES,
  type CelType,
  DOUBLE,
  DYN,
  ERROR,
  formatSignature,
  formatType,
  INT,
  listOf,
  mapOf,
  NULL,
  optionalOf,
  optionalParam,
  STRING,
  UINT,
} from "./types.ts";
import { Uint } from "./values.ts";

/** Writes types and chosen overloads into an expression, and tells what does not fit; cel-go's checker. */
export function check(expr: Expr, environment: Environment): readonly Issue[] {
  const checker = new Checker(environment);
  checker.check(expr);
  checker.settle();
  return checker.issues;
}

class Checker {
  readonly #environment: Environment;
  readonly #scopes: Scopes;
  readonly #types = new TypeInference();
  readonly #typed: Expr[] = [];

  constructor(environment: Environment) {
    this.#environment = environment;
    this.#scopes = new Scopes(environment);
  }

  get issues(): readonly Issue[] {
    return this.#types.issues;
  }

  /** Puts what type variables turned out to be into all types. */
  settle(): void {
    for (const expr of this.#typed) expr.type = this.#types.settled(expr.type ?? ERROR);
  }

  check(expr: Expr): CelType {
    const type = this.#typeOf(expr);
    expr.type = type;
    this.#typed.push(expr);
    return type;
  }

  #typeOf(expr: Expr): CelType {
    switch (expr.kind) {
      case "literal":
        return literalType(expr.value);
      case "ident": {
        const type = this.#scopes.lookup(expr.name);
        if (type === undefined) return this.#types.undeclared(expr.pos, expr.name);
        return type;
      }
      case "select":
        return this.#select(expr);
      case "call":
        return this.#call(expr);
      case "list":
        return this.#list(expr);
      case "map":
        return this.#map(expr);
      case "struct":
        return this.#struct(expr);
      default:
        return this.#comprehension(expr);
    }
  }

  #select(expr: Select): CelType {
    const name = expr.test ? undefined : qualifiedName(expr);
    if (name !== undefined && this.#scopes.local(name.slice(0, name.indexOf("."))) === undefined) {
      const type = this.#scopes.global(name);
      if (type !== undefined) {
        // From here on it is a name like any other.
        Object.assign(expr, { kind: "ident", name });
        return type;
      }
    }
    const type = this.#field(expr.pos, expr.operand, expr.field, false);
    return expr.test ? BOOL : this.#types.known(type);
  }

  #field(pos: number, operand: Expr, field: string, optional: boolean): CelType {
    const operandType = this.#types.known(this.check(operand));
    const inner = optionalParam(operandType);
    const type = this.#fieldType(pos, inner ?? operandType, field);
    return inner !== undefined || optional ? optionalOf(type) : type;
  }

  #fieldType(pos: number, target: CelType, field: string): CelType {
    switch (target.kind) {
      case "map":
        return target.params[1] ?? DYN;
      case "struct": {
        const type = this.#environment.fields(target.name)?.get(field);
        return type ?? this.#types.report(pos, `undefined field '${field}'`);
      }
      case "param":
        this.#types.assignable(DYN, target);
        return DYN;
      default:
        if (!isDynOrError(target)) this.#types.report(pos, `type '${formatType(target)}' does not support field selection`);
        return DYN;
    }
  }

  #call(expr: Call): CelType {
    if (expr.fn === "_?._") return this.#optionalSelect(expr);
    for (const arg of expr.args) this.check(arg);
    const { functions } = this.#environment;
    const { target } = expr;
    if (target === undefined) {
      const name = expr.fn.startsWith(".") ? expr.fn.slice(1) : expr.fn;
      const overloads = functions.get(name);
      if (overloads === undefined) return this.#types.undeclared(expr.pos, expr.fn);
      expr.fn = name;
      return this.#resolve(expr, overloads);
    }
    const prefix = qualifiedName(target);
    const qualified = prefix === undefined ? undefined : functions.get(`${prefix}.${expr.fn}`);
    if (qualified !== undefined) {
      expr.fn = `${prefix}.${expr.fn}`;
      expr.target = undefined;
      return this.#resolve(expr, qualified);
    }
    this.check(target);
    const overloads = functions.get(expr.fn);
    return overloads === undefined ? this.#types.undeclared(expr.pos, expr.fn) : this.#resolve(expr, overloads);
  }

  #optionalSelect(expr: Call): CelType {
    const [operand, field] = expr.args;
    if (operand === undefined || field?.kind !== "literal") return ERROR;
    field.type = STRING;
    expr.overloads = ["select_optional_field"];
    return this.#types.known(this.#field(expr.pos, operand, String(field.value), true));
  }

  #resolve(expr: Call, overloads: readonly Overload[]): CelType {
    const { target, args, fn } = expr;
    if (fn === "_&&_" || fn === "_||_") return this.#logical(expr);
    const given = (target === undefined ? args : [target, ...args]).map((arg) => arg.type ?? ERROR);
    const found = this.#types.matching(overloads, given, target !== undefined);
    if (found === undefined) {
      const shown = formatSignature(
        given.map((type) => this.#types.settled(type)),
        target !== undefined,
      );
      return this.#types.report(expr.pos, `found no matching overload for '${fn}' applied to '${shown}'`);
    }
    expr.overloads = found.ids;
    return found.result;
  }

  #logical(expr: Call): CelType {
    let wrong = false;
    for (const arg of expr.args) {
      if (this.#types.assignable(arg.type ?? ERROR, BOOL)) continue;
      this.#types.mismatch(arg.pos, BOOL, arg.type ?? ERROR);
      wrong = true;
    }
    expr.overloads = [expr.fn === "_&&_" ? "logical_and" : "logical_or"];
    return wrong ? ERROR : BOOL;
  }

  #list(expr: ListLiteral): CelType {
    let element: CelType | undefined;
    expr.elements.forEach((part, index) => {
      const type = this.check(part);
      element = this.#types.join(element, expr.optional.has(index) ? this.#types.unwrap(part.pos, type) : type);
    });
    return listOf(element ?? this.#types.variable());
  }

  #map(expr: MapLiteral): CelType {
    let keys: CelType | undefined;
    let values: CelType | undefined;
    for (const { key, value, optional } of expr.entries) {
      keys = this.#types.join(keys, this.check(key));
      const type = this.check(value);
      values = this.#types.join(values, optional ? this.#types.unwrap(value.pos, type) : type);
    }
    return mapOf(keys ?? this.#types.variable(), values ?? this.#types.variable());
  }

  #struct(expr: StructLiteral): CelType {
    const name = expr.name.startsWith(".") ? expr.name.slice(1) : expr.name;
    const fields = this.#environment.fields(name);
    const type = this.#environment.typeNames.get(name);
    if (type === undefined) return this.#types.undeclared(expr.pos, expr.name);
    if (fields === undefined) return this.#types.report(expr.pos, `'${formatType(type)}' is not a message type`);
    for (const entry of expr.fields) this.#structField(entry, fields);
    return type;
  }

  #structField({ pos, key, value, optional }: Entry<string>, fields: Pick<ReadonlyMap<string, CelType>, "get">): void {
    const given = this.check(value);
    const wanted = fields.get(key) ?? this.#types.report(pos, `undefined field '${key}'`);
    const type = optional ? this.#types.unwrap(value.pos, given) : given;
    if (this.#types.assignable(wanted, type)) return;
    const [is, provided] = [formatType(wanted), formatType(type)];
    this.#types.report(pos, `expected type of field '${key}' is '${is}' but provided type is '${provided}'`);
  }

  #comprehension(expr: Comprehension): CelType {
    const range = this.#types.known(this.check(expr.range));
    const accumulator = this.check(expr.init);
    this.#scopes.enter(new Map([[expr.accumulator, accumulator]]));
    const [first, second] = this.#loopTypes(expr, range);
    const names = new Map([[expr.variable, first]]);
    if (expr.variable2 !== undefined) names.set(expr.variable2, second);
    this.#scopes.enter(names);
    this.#require(expr.condition, BOOL);
    this.#require(expr.step, accumulator);
    this.#scopes.leave();
    const result = this.check(expr.result);
    this.#scopes.leave();
    return this.#types.known(result);
  }

  #loopTypes(expr: Comprehension, range: CelType): readonly [CelType, CelType] {
    const two = expr.variable2 !== undefined;
    const [first = DYN, second = DYN] = range.params;
    switch (range.kind) {
      case "list":
        return two ? [INT, first] : [first, first];
      case "map":
        return [first, second];
      case "dyn":
      case "error":
      case "param":
        this.#types.assignable(DYN, range);
        return [DYN, DYN];
      default: {
        const shown = `expression of type '${formatType(range)}' cannot be range of a comprehension (must be list, map, or dynamic)`;
        this.#types.report(expr.range.pos, shown);
        return [ERROR, ERROR];
      }
    }
  }

  #require(expr: Expr, wanted: CelType): void {
    const type = this.check(expr);
    if (!this.#types.assignable(wanted, type)) this.#types.mismatch(expr.pos, wanted, type);
  }
}

/** `a.b.c`, if an expression is only that. */
function qualifiedName(expr: Expr): string | undefined {
  if (expr.kind === "ident") return expr.name;
  if (expr.kind !== "select" || expr.test) return undefined;
  const prefix = qualifiedName(expr.operand);
  return prefix === undefined ? undefined : `${prefix}.${expr.field}`;
}

function literalType(value: unknown): CelType {
  switch (typeof value) {
    case "bigint":
      return INT;
    case "boolean":
      return BOOL;
    case "number":
      return DOUBLE;
    case "string":
      return STRING;
    default:
      if (value === null) return NULL;
      return value instanceof Uint ? UINT : BYTES;
  }
}
