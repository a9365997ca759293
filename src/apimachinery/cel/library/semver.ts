import { goQuote } from "../../validation/field-error.ts";
import { type Declaration, declareFunction, declareMethod } from "../declarations.ts";
import { BOOL, type CelType, INT, STRING, structOf } from "../types.ts";
import { CelError, type CelValue, LibraryValue } from "../values.ts";

/** The type of `semver('1.2.3')`. */
export const SEMVER: CelType = structOf("kubernetes.Semver");

class SemverValue extends LibraryValue {
  readonly typeName = "kubernetes.Semver";
  readonly numbers: readonly [bigint, bigint, bigint];
  readonly prerelease: readonly string[];

  constructor(numbers: readonly [bigint, bigint, bigint], prerelease: readonly string[]) {
    super();
    this.numbers = numbers;
    this.prerelease = prerelease;
  }

  equals(other: LibraryValue): boolean {
    return other instanceof SemverValue && compareVersions(this, other) === 0;
  }
}

const of = (value: CelValue | undefined): SemverValue => value as SemverValue;

/** Kubernetes' library of semantic versions (version 1). Build metadata makes no difference. */
export const semvers: readonly Declaration[] = [
  declareFunction("semver", "string_to_semver", [STRING], SEMVER, ([text]) => parse(text as string)),
  declareFunction("semver", "string_bool_to_semver", [STRING, BOOL], SEMVER, ([text, tolerant]) =>
    read(text as string, tolerant as boolean),
  ),
  declareFunction("isSemver", "is_semver_string", [STRING], BOOL, ([text]) => isSemver(text as string, false)),
  declareFunction("isSemver", "is_semver_string_bool", [STRING, BOOL], BOOL, ([text, tolerant]) =>
    isSemver(text as string, tolerant as boolean),
  ),
  declareMethod("isGreaterThan", "semver_is_greater_than", [SEMVER, SEMVER], BOOL, ([a, b]) => compareVersions(of(a), of(b)) > 0),
  declareMethod("isLessThan", "semver_is_less_than", [SEMVER, SEMVER], BOOL, ([a, b]) => compareVersions(of(a), of(b)) < 0),
  declareMethod("compareTo", "semver_compare_to", [SEMVER, SEMVER], INT, ([a, b]) => BigInt(compareVersions(of(a), of(b)))),
  declareMethod("major", "semver_major", [SEMVER], INT, ([value]) => of(value).numbers[0]),
  declareMethod("minor", "semver_minor", [SEMVER], INT, ([value]) => of(value).numbers[1]),
  declareMethod("patch", "semver_patch", [SEMVER], INT, ([value]) => of(value).numbers[2]),
];

function isSemver(text: string, tolerant: boolean): boolean {
  try {
    read(text, tolerant);
    return true;
  } catch {
    return false;
  }
}

function read(text: string, tolerant: boolean): SemverValue {
  return parse(tolerant ? normalize(text) : text);
}

/** Without a `v`, without leading zeros, with three numbers. */
function normalize(text: string): string {
  const [major = "", minor, ...rest] = text.replace(/^v/, "").split(".");
  const parts = [major, ...(minor === undefined ? [] : [minor]), ...(rest.length === 0 ? [] : [rest.join(".")])].map(
    withoutZeros,
  );
  if (parts.length < 3) {
    if (/[+-]/.test(parts.at(-1) ?? "")) throw new CelError("short version cannot contain PreRelease/Build meta data");
    while (parts.length < 3) parts.push("0");
  }
  return parts.join(".");
}

function withoutZeros(part: string): string {
  if (part.length < 2) return part;
  const rest = part.replace(/^0+/, "");
  return /^\d/.test(rest) ? rest : `0${rest}`;
}

/** As `blang/semver` parses; throws a CelError with its text. */
function parse(text: string): SemverValue {
  if (text === "") throw new CelError("Version string empty");
  const [major = "", minor, ...rest] = text.split(".");
  if (minor === undefined || rest.length === 0) throw new CelError("No Major.Minor.Patch elements found");
  const last = rest.join(".");
  const at = last.search(/[-+]/);
  const patch = at < 0 ? last : last.slice(0, at);
  const numbers = [number("major", major), number("minor", minor)] as const;
  const tail = at < 0 ? "" : last.slice(at);
  const plus = tail.indexOf("+");
  const pre = tail.startsWith("-") ? tail.slice(1, plus < 0 ? undefined : plus) : undefined;
  const third = number("patch", patch);
  const prerelease = pre === undefined ? [] : pre.split(".").map(prereleasePart);
  if (plus >= 0) for (const part of tail.slice(plus + 1).split(".")) buildPart(part);
  return new SemverValue([numbers[0], numbers[1], third], prerelease);
}

const NAMES = { major: "major", minor: "minor", patch: "patch" };

function number(which: keyof typeof NAMES, text: string): bigint {
  const name = NAMES[which];
  const title = name.charAt(0).toUpperCase() + name.slice(1);
  if (!/^[0-9]*$/.test(text)) throw new CelError(`Invalid character(s) found in ${name} number ${goQuote(text)}`);
  if (text.length > 1 && text.startsWith("0"))
    throw new CelError(`${title} number must not contain leading zeroes ${goQuote(text)}`);
  if (text === "") throw new CelError('strconv.ParseUint: parsing "": invalid syntax');
  const value = BigInt(text);
  if (value >= 2n ** 64n) throw new CelError(`strconv.ParseUint: parsing ${goQuote(text)}: value out of range`);
  return value;
}

function prereleasePart(part: string): string {
  if (part === "") throw new CelError("Prerelease is empty");
  if (/^\d+$/.test(part) && part.length > 1 && part.startsWith("0")) {
    throw new CelError(`Numeric PreRelease version must not contain leading zeroes ${goQuote(part)}`);
  }
  if (!/^[0-9A-Za-z-]+$/.test(part)) throw new CelError(`Invalid character(s) found in prerelease ${goQuote(part)}`);
  return part;
}

function buildPart(part: string): void {
  if (part === "") throw new CelError("Build meta data is empty");
  if (!/^[0-9A-Za-z-]+$/.test(part)) throw new CelError(`Invalid character(s) found in build meta data ${goQuote(part)}`);
}

function compareVersions(a: SemverValue, b: SemverValue): number {
  for (let at = 0; at < 3; at++) {
    const [left = 0n, right = 0n] = [a.numbers[at], b.numbers[at]];
    if (left !== right) return left < right ? -1 : 1;
  }
  if (a.prerelease.length === 0 || b.prerelease.length === 0) return Math.sign(b.prerelease.length - a.prerelease.length);
  const common = Math.min(a.prerelease.length, b.prerelease.length);
  for (let at = 0; at < common; at++) {
    const order = comparePart(a.prerelease[at] ?? "", b.prerelease[at] ?? "");
    if (order !== 0) return order;
  }
  return Math.sign(a.prerelease.length - b.prerelease.length);
}

function comparePart(a: string, b: string): number {
  const [left, right] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (left && right) return BigInt(a) === BigInt(b) ? 0 : BigInt(a) < BigInt(b) ? -1 : 1;
  if (left !== right) return left ? -1 : 1;
  return a === b ? 0 : a < b ? -1 : 1;
}
