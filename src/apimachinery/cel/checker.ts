import type { Call, Comprehension, Entry, Expr, ListLiteral, MapLiteral, Select, StructLiteral } from "./ast.ts";
import type { Environment, Overload } from "./declarations.ts";
import type { Issue } from "./issues.ts";
import { assignable, assignableList, isDyn, isDynOrError, type Mapping, mostGeneral, substitute } from "./type-unification.ts";
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
  sameType,
  typeOf,
  typeParam,
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
  readonly issues: Issue[] = [];
  readonly #environment: Environment;
  readonly #scopes: Map<string, CelType>[] = [];
  readonly #typed: Expr[] = [];
  #mapping: Mapping = new Map();
  #fresh = 0;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /** Puts what type variables turned out to be into all types. */
  settle(): void {
    for (const expr of this.#typed) expr.type = substitute(this.#mapping, expr.type ?? ERROR, true);
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
        const type = this.#lookup(expr.name);
        if (type === undefined) return this.#undeclared(expr.pos, expr.name);
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

  #report(pos: number, message: string): CelType {
    this.issues.push({ pos, message });
    return ERROR;
  }

  #undeclared(pos: number, name: string): CelType {
    return this.#report(pos, `undeclared reference to '${name}' (in container '')`);
  }

  #mismatch(pos: number, wanted: CelType, found: CelType): CelType {
    return this.#report(pos, `expected type '${formatType(wanted)}' but found '${formatType(found)}'`);
  }

  #local(name: string): CelType | undefined {
    for (let index = this.#scopes.length - 1; index >= 0; index--) {
      const type = this.#scopes[index]?.get(name);
      if (type !== undefined) return type;
    }
    return undefined;
  }

  #lookup(name: string): CelType | undefined {
    return this.#local(name) ?? this.#global(name);
  }

  #global(given: string): CelType | undefined {
    const name = given.startsWith(".") ? given.slice(1) : given;
    const { variables, typeNames } = this.#environment;
    const variable = variables.get(name);
    if (variable !== undefined) return variable;
    const type = typeNames.get(name);
    return type === undefined ? undefined : typeOf(type);
  }

  #select(expr: Select): CelType {
    const name = expr.test ? undefined : qualifiedName(expr);
    if (name !== undefined && this.#local(name.slice(0, name.indexOf("."))) === undefined) {
      const type = this.#global(name);
      if (type !== undefined) {
        // From here on it is a name like any other.
        Object.assign(expr, { kind: "ident", name });
        return type;
      }
    }
    const type = this.#field(expr.pos, expr.operand, expr.field, false);
    return expr.test ? BOOL : substitute(this.#mapping, type, false);
  }

  #field(pos: number, operand: Expr, field: string, optional: boolean): CelType {
    const operandType = substitute(this.#mapping, this.check(operand), false);
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
        return type ?? this.#report(pos, `undefined field '${field}'`);
      }
      case "param":
        this.#assignable(DYN, target);
        return DYN;
      default:
        if (!isDynOrError(target)) this.#report(pos, `type '${formatType(target)}' does not support field selection`);
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
      if (overloads === undefined) return this.#undeclared(expr.pos, expr.fn);
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
    return overloads === undefined ? this.#undeclared(expr.pos, expr.fn) : this.#resolve(expr, overloads);
  }

  #optionalSelect(expr: Call): CelType {
    const [operand, field] = expr.args;
    if (operand === undefined || field?.kind !== "literal") return ERROR;
    field.type = STRING;
    expr.overloads = ["select_optional_field"];
    return substitute(this.#mapping, this.#field(expr.pos, operand, String(field.value), true), false);
  }

  #resolve(expr: Call, overloads: readonly Overload[]): CelType {
    const { target, args, fn } = expr;
    if (fn === "_&&_" || fn === "_||_") return this.#logical(expr);
    const given = (target === undefined ? args : [target, ...args]).map((arg) => arg.type ?? ERROR);
    const chosen: string[] = [];
    let result: CelType | undefined;
    for (const overload of overloads) {
      if (overload.member !== (target !== undefined) || overload.args.length !== given.length) continue;
      const { args: wanted, result: promised } = this.#instantiate(overload);
      const mapping = assignableList(this.#mapping, given, wanted);
      if (mapping === undefined) continue;
      this.#mapping = mapping;
      chosen.push(overload.id);
      const type = substitute(mapping, promised, false);
      if (result === undefined) result = type;
      else if (!isDyn(result) && !sameType(type, result)) result = DYN;
    }
    if (result === undefined) {
      const shown = formatSignature(
        given.map((type) => substitute(this.#mapping, type, true)),
        target !== undefined,
      );
      return this.#report(expr.pos, `found no matching overload for '${fn}' applied to '${shown}'`);
    }
    expr.overloads = chosen;
    return result;
  }

  #logical(expr: Call): CelType {
    let wrong = false;
    for (const arg of expr.args) {
      if (this.#assignable(arg.type ?? ERROR, BOOL)) continue;
      this.#mismatch(arg.pos, BOOL, arg.type ?? ERROR);
      wrong = true;
    }
    expr.overloads = [expr.fn === "_&&_" ? "logical_and" : "logical_or"];
    return wrong ? ERROR : BOOL;
  }

  #instantiate({ args, result, variables }: Overload): Pick<Overload, "args" | "result"> {
    if (variables.length === 0) return { args, result };
    const fresh: Mapping = new Map(variables.map((name) => [name, this.#variable()]));
    return { args: args.map((arg) => substitute(fresh, arg, false)), result: substitute(fresh, result, false) };
  }

  #variable(): CelType {
    return typeParam(`_var${this.#fresh++}`);
  }

  #assignable(from: CelType, to: CelType): boolean {
    const mapping = assignable(this.#mapping, from, to);
    if (mapping !== undefined) this.#mapping = mapping;
    return mapping !== undefined;
  }

  #list(expr: ListLiteral): CelType {
    let element: CelType | undefined;
    expr.elements.forEach((part, index) => {
      const type = this.check(part);
      element = this.#join(element, expr.optional.has(index) ? this.#unwrap(part, type) : type);
    });
    return listOf(element ?? this.#variable());
  }

  #map(expr: MapLiteral): CelType {
    let keys: CelType | undefined;
    let values: CelType | undefined;
    for (const { key, value, optional } of expr.entries) {
      keys = this.#join(keys, this.check(key));
      const type = this.check(value);
      values = this.#join(values, optional ? this.#unwrap(value, type) : type);
    }
    return mapOf(keys ?? this.#variable(), values ?? this.#variable());
  }

  #unwrap(expr: Expr, type: CelType): CelType {
    const inner = optionalParam(type);
    if (inner === undefined && !isDyn(type)) this.#mismatch(expr.pos, optionalOf(type), type);
    return inner ?? type;
  }

  #join(previous: CelType | undefined, current: CelType): CelType {
    if (previous === undefined) return current;
    if (this.#assignable(previous, current)) return mostGeneral(previous, current);
    // Told of later, where it is not allowed.
    return DYN;
  }

  #struct(expr: StructLiteral): CelType {
    const name = expr.name.startsWith(".") ? expr.name.slice(1) : expr.name;
    const fields = this.#environment.fields(name);
    const type = this.#environment.typeNames.get(name);
    if (type === undefined) return this.#undeclared(expr.pos, expr.name);
    if (fields === undefined) return this.#report(expr.pos, `'${formatType(type)}' is not a message type`);
    for (const entry of expr.fields) this.#structField(entry, fields);
    return type;
  }

  #structField({ pos, key, value, optional }: Entry<string>, fields: Pick<ReadonlyMap<string, CelType>, "get">): void {
    const given = this.check(value);
    const wanted = fields.get(key) ?? this.#report(pos, `undefined field '${key}'`);
    const type = optional ? this.#unwrap(value, given) : given;
    if (this.#assignable(wanted, type)) return;
    const [is, provided] = [formatType(wanted), formatType(type)];
    this.#report(pos, `expected type of field '${key}' is '${is}' but provided type is '${provided}'`);
  }

  #comprehension(expr: Comprehension): CelType {
    const range = substitute(this.#mapping, this.check(expr.range), false);
    const accumulator = this.check(expr.init);
    this.#scopes.push(new Map([[expr.accumulator, accumulator]]));
    const [first, second] = this.#loopTypes(expr, range);
    const names = new Map([[expr.variable, first]]);
    if (expr.variable2 !== undefined) names.set(expr.variable2, second);
    this.#scopes.push(names);
    this.#require(expr.condition, BOOL);
    this.#require(expr.step, accumulator);
    this.#scopes.pop();
    const result = this.check(expr.result);
    this.#scopes.pop();
    return substitute(this.#mapping, result, false);
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
        this.#assignable(DYN, range);
        return [DYN, DYN];
      default: {
        const shown = `expression of type '${formatType(range)}' cannot be range of a comprehension (must be list, map, or dynamic)`;
        this.#report(expr.range.pos, shown);
        return [ERROR, ERROR];
      }
    }
  }

  #require(expr: Expr, wanted: CelType): void {
    const type = this.check(expr);
    if (!this.#assignable(wanted, type)) this.#mismatch(expr.pos, wanted, type);
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
