import { type CelType, DYN, ERROR, sameType } from "./types.ts";

/** What type variables stand for, by their name. */
export type Mapping = Map<string, CelType>;

/** Whether a type says nothing about its values. */
export function isDyn(type: CelType): boolean {
  return type.kind === "dyn";
}

/** As {@link isDyn}, or the type of something that did not check. */
export function isDynOrError(type: CelType): boolean {
  return type.kind === "dyn" || type.kind === "error";
}

/**
 * Whether `to` takes values of `from`, both ways round as cel-go's checker does it; the type variables that had to be bound
 * are in the answer. Undefined for no.
 */
export function assignable(mapping: Mapping, from: CelType, to: CelType): Mapping | undefined {
  const copy = new Map(mapping);
  return unify(copy, from, to) ? copy : undefined;
}

/** As {@link assignable}, of as many types on both sides. */
export function assignableList(mapping: Mapping, from: readonly CelType[], to: readonly CelType[]): Mapping | undefined {
  const copy = new Map(mapping);
  return unifyLists(copy, from, to) ? copy : undefined;
}

function unifyLists(mapping: Mapping, from: readonly CelType[], to: readonly CelType[]): boolean {
  return from.length === to.length && from.every((type, index) => unify(mapping, type, to[index] ?? ERROR));
}

function unify(mapping: Mapping, a: CelType, b: CelType): boolean {
  if (b.kind === "param") {
    const { valid, bound } = substitutes(mapping, a, b);
    if (valid) return true;
    if (bound) return false;
  }
  if (a.kind === "param") return substitutes(mapping, b, a).valid;
  if (isDynOrError(a) || isDynOrError(b)) return true;
  if (a.kind === "null") return isNullable(b);
  if (b.kind === "null") return isNullable(a);
  if (a.kind === "type") return b.kind === "type";
  return a.kind === b.kind && a.name === b.name && unifyLists(mapping, a.params, b.params);
}

function isNullable(type: CelType): boolean {
  const { kind } = type;
  return kind === "null" || kind === "opaque" || kind === "struct" || kind === "duration" || kind === "timestamp";
}

/** Whether `variable` (or what it stands for) may stand for `type`, and whether it stands for something already. */
function substitutes(mapping: Mapping, type: CelType, variable: CelType): { valid: boolean; bound: boolean } {
  if (sameType(type, variable)) return { valid: true, bound: true };
  const known = mapping.get(variable.name);
  if (known !== undefined) {
    if (sameType(type, known)) return { valid: true, bound: true };
    if (!unify(mapping, type, known)) return { valid: false, bound: true };
    const general = mostGeneral(type, known);
    if (!occursIn(mapping, variable, general)) mapping.set(variable.name, general);
    return { valid: true, bound: true };
  }
  if (occursIn(mapping, variable, type)) return { valid: false, bound: false };
  mapping.set(variable.name, type);
  return { valid: true, bound: false };
}

function occursIn(mapping: Mapping, variable: CelType, within: CelType): boolean {
  if (sameType(variable, within)) return true;
  if (within.kind === "param") {
    const known = mapping.get(within.name);
    return known !== undefined && occursIn(mapping, variable, known);
  }
  return within.params.some((param) => occursIn(mapping, variable, param));
}

/** Of two types that unify, the one that says less. */
export function mostGeneral(a: CelType, b: CelType): CelType {
  return lessSpecific(a, b) ? a : b;
}

function lessSpecific(a: CelType, b: CelType): boolean {
  if (isDyn(a) || a.kind === "param") return true;
  if (isDyn(b) || b.kind === "param") return false;
  if (a.kind !== b.kind || a.name !== b.name) return false;
  if (a.kind === "type") return true;
  return a.params.length === b.params.length && a.params.every((param, index) => lessSpecific(param, b.params[index] ?? ERROR));
}

/** A type with its variables replaced by what they stand for; those that stand for nothing become `dyn` on demand. */
export function substitute(mapping: Mapping, type: CelType, freeToDyn: boolean): CelType {
  if (type.kind === "param") {
    const known = mapping.get(type.name);
    if (known !== undefined) return substitute(mapping, known, freeToDyn);
    return freeToDyn ? DYN : type;
  }
  if (type.params.length === 0) return type;
  return { ...type, params: type.params.map((param) => substitute(mapping, param, freeToDyn)) };
}
