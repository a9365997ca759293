import { compileJsonPath } from "#apiextensions-apiserver/custom-resource/json-path.ts";
import { isKnownFormat, matchesFormat } from "#apiextensions-apiserver/validation/formats.ts";
import { loadedPatterns, loadPatterns } from "#apiextensions-apiserver/validation/patterns.ts";
import { check, type FuzzTarget } from "../target.ts";

const FORMATS = [
  "bsonobjectid",
  "uri",
  "email",
  "hostname",
  "ipv4",
  "ipv6",
  "cidr",
  "mac",
  "uuid",
  "isbn",
  "creditcard",
  "ssn",
  "hexcolor",
  "rgbcolor",
  "byte",
  "date",
  "duration",
  "datetime",
  "k8s-short-name",
  "k8s-long-name",
];
const VALUE = { a: [{ b: "c", d: 1 }, { b: "e" }], "x.y": { z: null }, items: [[1, 2], [3]] };

/** Patterns of schemas, each before the text it is held against; formats; paths of printer columns. */
export const target: FuzzTarget = {
  prepare: async () => {
    await loadPatterns();
  },
  seeds: [
    "^(a+)+$\naaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!",
    "(?i)[[:alpha:]]\\p{Greek}{2,5}?\\b(?P<n>x|y)*\nαβ",
    "((((a{0,100}){0,100}){0,100}){0,100})\naaaa",
    "(?s).*\\Qa.b\\E\\x{10FFFF}\\z\na.b",
    '{.a[?(@.b=="c")].d}',
    "$.a[0,1].b",
    ".a[-1:].b",
    "..z",
    ".x\\.y.z",
    "['a'][*]['b','d']",
    "{range .a[*]}{.b}{end}",
    "a@b.c",
    "1h",
    "2026-01-01T00:00:00Z",
    "978-3-16-148410-0",
    "rgb(1, 2, 3)",
    '"Name" <a@b.c>',
    "0010.1.1.1/08",
  ],
  run: (bytes) => {
    const text = bytes.toString("utf8");
    const [pattern = "", ...rest] = text.split("\n");
    const compiled = loadedPatterns()(pattern);
    if (!(compiled instanceof Error)) compiled(rest.join("\n"));
    for (const format of FORMATS) {
      check(isKnownFormat("string", format), `${format} is no format`);
      matchesFormat(format, text);
    }
    compileJsonPath(text)?.(VALUE);
  },
};
