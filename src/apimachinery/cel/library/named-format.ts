import {
  isQualifiedName,
  isValidLabelValue,
  nameIsDns1035Label,
  nameIsDnsLabel,
  nameIsDnsSubdomain,
} from "../../validation/names.ts";
import { type Declaration, declareFunction, declareMethod } from "../declarations.ts";
import { parseTimestamp } from "../time-text.ts";
import { type CelType, listOf, optionalOf, STRING, structOf } from "../types.ts";
import { ArrayList, LibraryValue, Optional } from "../values.ts";
import { requestUriProblem } from "./url.ts";

/** The type of `format.dns1123Label()`. */
export const NAMED_FORMAT: CelType = structOf("kubernetes.NamedFormat");

class FormatValue extends LibraryValue {
  readonly typeName = "kubernetes.NamedFormat";
  readonly name: string;
  readonly #regexSize: number;
  readonly problems: (text: string) => readonly string[];

  constructor(name: string, regexSize: number, problems: (text: string) => readonly string[]) {
    super();
    this.name = name;
    this.#regexSize = regexSize;
    this.problems = problems;
  }

  /** Checking costs as much as a regular expression of this length. */
  override get size(): number {
    return this.#regexSize;
  }

  equals(other: LibraryValue): boolean {
    return other instanceof FormatValue && other.name === this.name;
  }
}

const holds = (test: (text: string) => boolean, problem: string) => (text: string) => (test(text) ? [] : [problem]);

const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$/;

const FORMATS: ReadonlyMap<string, FormatValue> = new Map(
  [
    new FormatValue("dns1123Label", 30, (text) => nameIsDnsLabel(text, false)),
    new FormatValue("dns1123Subdomain", 60, (text) => nameIsDnsSubdomain(text, false)),
    new FormatValue("dns1035Label", 30, (text) => nameIsDns1035Label(text, false)),
    new FormatValue("qualifiedName", 60, isQualifiedName),
    new FormatValue("dns1123LabelPrefix", 30, (text) => nameIsDnsLabel(text, true)),
    new FormatValue("dns1123SubdomainPrefix", 60, (text) => nameIsDnsSubdomain(text, true)),
    new FormatValue("dns1035LabelPrefix", 30, (text) => nameIsDns1035Label(text, true)),
    new FormatValue("labelValue", 40, isValidLabelValue),
    new FormatValue("uri", 2083, (text) => {
      const problem = requestUriProblem(text);
      return problem === undefined ? [] : [problem];
    }),
    new FormatValue(
      "uuid",
      86,
      holds((text) => UUID.test(text), "does not match the UUID format"),
    ),
    new FormatValue(
      "byte",
      84,
      holds((text) => BASE64.test(text), "invalid base64"),
    ),
    new FormatValue(
      "date",
      110,
      holds((text) => parseTimestamp(`${text}T00:00:00Z`) !== undefined, "invalid date"),
    ),
    new FormatValue("datetime", 110, holds(isDateTime, "invalid datetime")),
  ].map((format) => [format.name, format]),
);

function isDateTime(text: string): boolean {
  return parseTimestamp(text.replace(/^(.{10})[ t]/, "$1T").replace(/z$/, "Z")) !== undefined;
}

/** Kubernetes' library of named formats. */
export const namedFormats: readonly Declaration[] = [
  ...Array.from(FORMATS, ([name, format]) => declareFunction(`format.${name}`, `format.${name}`, [], NAMED_FORMAT, () => format)),
  declareFunction(
    "format.named",
    "format-named",
    [STRING],
    optionalOf(NAMED_FORMAT),
    ([name]) => new Optional(FORMATS.get(name as string)),
  ),
  declareMethod("validate", "format-validate", [NAMED_FORMAT, STRING], optionalOf(listOf(STRING)), ([format, text]) => {
    const problems = (format as FormatValue).problems(text as string);
    return new Optional(problems.length === 0 ? undefined : new ArrayList([...problems]));
  }),
];
