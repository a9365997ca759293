import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseFieldSelector } from "#apimachinery/fields/selector.ts";
import { parseLabelSelector } from "#apimachinery/labels/parse.ts";
import {
  type LabelOperator,
  newRequirement,
  requirementMatches,
  selectorFromRequirements,
} from "#apimachinery/labels/selector.ts";
import {
  formatQuantity,
  parseQuantity,
  quantityAdd,
  quantityCompare,
  quantityMilliValue,
  quantitySub,
  quantityValue,
} from "#apimachinery/resource/quantity.ts";
import {
  isConfigMapKey,
  isDns1035Label,
  isDns1123Label,
  isDns1123Subdomain,
  isQualifiedName,
  isValidLabelValue,
} from "#apimachinery/validation/names.ts";
import { decodeContinue, encodeContinue } from "#apiserver/endpoints/handlers/continue-token.ts";
import { runs } from "./runs.ts";

const WORD = fc.stringMatching(/^[a-z]([-a-z0-9.]{0,6}[a-z0-9])?$/);
const KEY = fc.oneof(
  WORD,
  fc.tuple(WORD, WORD).map(([domain, name]) => `${domain.replaceAll(/[.-]+/g, "")}/${name}`),
  fc.constantFrom("constructor", "toString"),
);
const VALUE = fc.oneof(WORD, fc.constantFrom("", "5", "A_b.c"));

describe("selectors", () => {
  const requirement = fc.oneof(
    fc.record({ operator: fc.constantFrom<LabelOperator>("=", "!=", "=="), key: KEY, values: fc.tuple(VALUE) }),
    fc.record({
      operator: fc.constantFrom<LabelOperator>("in", "notin"),
      key: KEY,
      values: fc.uniqueArray(VALUE, { minLength: 1, maxLength: 3 }),
    }),
    fc.record({ operator: fc.constantFrom<LabelOperator>("exists", "!"), key: KEY, values: fc.constant([]) }),
    fc.record({
      operator: fc.constantFrom<LabelOperator>("gt", "lt"),
      key: KEY,
      values: fc.tuple(fc.constantFrom("5", "17", "0")),
    }),
  );
  /** No label that is stored has such a value as the last. */
  const labels = fc.dictionary(KEY, fc.oneof(VALUE, fc.constant("-3")), { maxKeys: 4 });

  test("of labels are printed as they are read, and mean the same", () => {
    fc.assert(
      fc.property(fc.array(requirement, { maxLength: 4 }), labels, (given, set) => {
        const requirements = given.map(({ key, operator, values }) => newRequirement(key, operator, [...values].sort()));
        const selector = selectorFromRequirements(requirements);
        const again = parseLabelSelector(selector.toString());
        expect(again.toString()).toBe(selector.toString());
        expect(again.matches(set)).toBe(selector.matches(set));
        expect(selector.matches(set)).toBe(requirements.every((one) => requirementMatches(one, set)));
      }),
      runs(1000),
    );
  });

  test("of labels match what set theory says", () => {
    fc.assert(
      fc.property(requirement, labels, ({ key, operator, values }, set) => {
        const value = Object.entries(set).find(([name]) => name === key)?.[1];
        const listed = values as readonly string[];
        const wanted: Record<LabelOperator, () => boolean> = {
          "=": () => value === listed[0],
          "==": () => value === listed[0],
          "!=": () => value !== listed[0],
          in: () => value !== undefined && listed.includes(value),
          notin: () => value === undefined || !listed.includes(value),
          exists: () => value !== undefined,
          "!": () => value === undefined,
          gt: () => /^-?\d+$/.test(value ?? "") && Number(value) > Number(listed[0]),
          lt: () => /^-?\d+$/.test(value ?? "") && Number(value) < Number(listed[0]),
        };
        expect(selectorFromRequirements([newRequirement(key, operator, listed)]).matches(set)).toBe(wanted[operator]());
      }),
      runs(1000),
    );
  });

  test("of fields are printed as they are read, whatever stands in a value", () => {
    const term = fc.tuple(
      fc.constantFrom("metadata.name", "spec.a-b", "x"),
      fc.constantFrom("=", "!="),
      fc.string({ unit: fc.constantFrom("a", ",", "=", "\\", "!", " ", "é") }),
    );
    fc.assert(
      fc.property(fc.array(term, { maxLength: 3 }), (terms) => {
        const escaped = terms.map(
          ([field, sign, value]) => `${field}${sign}${value.replaceAll(/[\\,=]/g, (char) => `\\${char}`)}`,
        );
        const selector = parseFieldSelector(escaped.join(","));
        const read = selector.requirements.map(({ field, operator, value }) => [field, operator, value].join(" "));
        expect(read.sort()).toEqual(terms.map((parts) => parts.join(" ")).sort());
        expect(parseFieldSelector(selector.toString()).toString()).toBe(selector.toString());
      }),
      runs(1000),
    );
  });
});

describe("amounts", () => {
  /** `numerator` / `denominator`, exact. */
  interface Rational {
    readonly numerator: bigint;
    readonly denominator: bigint;
  }
  const POWERS: Readonly<Record<string, readonly [bigint, bigint]>> = {
    n: [1n, 10n ** 9n],
    u: [1n, 10n ** 6n],
    m: [1n, 1000n],
    "": [1n, 1n],
    k: [1000n, 1n],
    M: [10n ** 6n, 1n],
    G: [10n ** 9n, 1n],
    T: [10n ** 12n, 1n],
    Ki: [1024n, 1n],
    Mi: [1024n ** 2n, 1n],
    Gi: [1024n ** 3n, 1n],
    e3: [1000n, 1n],
    E2: [100n, 1n],
    "e-3": [1n, 1000n],
  };
  const amount = fc
    .record({
      sign: fc.constantFrom("", "-", "+"),
      whole: fc.nat(10_000_000),
      fraction: fc.option(fc.nat(999), { nil: undefined }),
      suffix: fc.constantFrom(...Object.keys(POWERS)),
    })
    // What is finer than a nano is rounded.
    .filter(({ fraction, suffix }) => fraction === undefined || !["n", "u", "m"].includes(suffix))
    .map(({ sign, whole, fraction, suffix }) => {
      const digits = fraction === undefined ? "" : String(fraction).padStart(3, "0");
      const [times, by] = POWERS[suffix] as readonly [bigint, bigint];
      const value: Rational = {
        numerator: (sign === "-" ? -1n : 1n) * BigInt(`${whole}${digits}`) * times,
        denominator: by * 10n ** BigInt(digits.length),
      };
      return { text: `${sign}${whole}${digits === "" ? "" : `.${digits}`}${suffix}`, value };
    })
    // In binary form more than 64 bits are capped.
    .filter(
      ({ value: { numerator, denominator } }) => numerator < 2n ** 62n * denominator && -numerator < 2n ** 62n * denominator,
    );

  const plus = (a: Rational, b: Rational): Rational => ({
    numerator: a.numerator * b.denominator + b.numerator * a.denominator,
    denominator: a.denominator * b.denominator,
  });
  const minus = (a: Rational): Rational => ({ numerator: -a.numerator, denominator: a.denominator });
  const sign = ({ numerator }: Rational): number => (numerator < 0n ? -1 : numerator > 0n ? 1 : 0);
  /** Away from zero. */
  const whole = ({ numerator, denominator }: Rational): number => {
    const magnitude = numerator < 0n ? -numerator : numerator;
    return Number((magnitude + denominator - 1n) / denominator) * (numerator < 0n ? -1 : 1) + 0;
  };
  const isEqual = (text: string, value: Rational): boolean => {
    const { unscaled, exponent } = parseQuantity(text);
    const scaled: Rational =
      exponent < 0
        ? { numerator: unscaled, denominator: 10n ** BigInt(-exponent) }
        : { numerator: unscaled * 10n ** BigInt(exponent), denominator: 1n };
    return sign(plus(scaled, minus(value))) === 0;
  };

  test("are read, compared, added and printed without loss", () => {
    fc.assert(
      fc.property(amount, amount, (a, b) => {
        expect(isEqual(a.text, a.value), a.text).toBe(true);
        const [x, y] = [parseQuantity(a.text), parseQuantity(b.text)];
        expect(isEqual(formatQuantity(x), a.value), formatQuantity(x)).toBe(true);
        expect(formatQuantity(parseQuantity(formatQuantity(x)))).toBe(formatQuantity(x));
        expect(quantityCompare(x, y)).toBe(sign(plus(a.value, minus(b.value))));
        expect(isEqual(formatQuantity(quantityAdd(x, y)), plus(a.value, b.value)), "sum").toBe(true);
        expect(isEqual(formatQuantity(quantitySub(x, y)), plus(a.value, minus(b.value))), "difference").toBe(true);
        expect(quantityValue(x) + 0).toBe(whole(a.value));
        const milli = { ...a.value, numerator: a.value.numerator * 1000n };
        if (Math.abs(whole(milli)) < Number.MAX_SAFE_INTEGER) expect(quantityMilliValue(x) + 0).toBe(whole(milli));
      }),
      runs(2000),
    );
  });
});

describe("names", () => {
  const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
  const labels = (text: string): boolean => text.split(".").every((part) => label.test(part));
  const bytes = (text: string): number => Buffer.byteLength(text);
  const value = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;
  const qualified = (text: string): boolean => {
    const [first = "", second, ...more] = text.split("/");
    const name = second ?? first;
    const prefix = second === undefined || (first !== "" && bytes(first) <= 253 && labels(first));
    return more.length === 0 && prefix && name !== "" && bytes(name) <= 63 && value.test(name);
  };
  const text = fc.oneof(
    fc.string({ unit: fc.constantFrom("a", "Z", "0", "-", ".", "_", "/", "é") }),
    fc.nat(300).map((length) => "a".repeat(length)),
  );

  test.each<[string, (text: string) => string[], (text: string) => boolean]>([
    ["label", isDns1123Label, (text) => bytes(text) <= 63 && label.test(text)],
    ["older label", isDns1035Label, (text) => bytes(text) <= 63 && label.test(text) && /^[a-z]/.test(text)],
    ["subdomain", isDns1123Subdomain, (text) => bytes(text) <= 253 && labels(text)],
    ["label's value", isValidLabelValue, (text) => bytes(text) <= 63 && value.test(text)],
    ["qualified name", isQualifiedName, qualified],
    [
      "ConfigMap's key",
      isConfigMapKey,
      (text) => bytes(text) <= 253 && /^[-._a-zA-Z0-9]+$/.test(text) && text !== "." && !text.startsWith(".."),
    ],
  ])("a %s is what its grammar says", (_name, problems, isName) => {
    fc.assert(
      fc.property(text, (given) => {
        expect(problems(given).length === 0, given).toBe(isName(given));
      }),
      runs(1000),
    );
  });
});

test("a continue token leads on behind the key that it was made of", () => {
  const part = fc.stringMatching(/^[a-z0-9]([-a-z0-9.]{0,8}[a-z0-9])?$/);
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 3 }), fc.integer({ min: 1, max: 2 ** 40 }), (parts, revision) => {
      const prefix = "/registry/pods/";
      const key = prefix + parts.join("/");
      const token = encodeContinue(prefix, key, revision);
      expect(token).toMatch(/^[A-Za-z0-9_-]+$/);
      const { startKey, revision: read } = decodeContinue(token, prefix);
      expect(read).toBe(revision);
      expect(startKey > key && startKey < `${key}\u0001`).toBe(true);
    }),
    runs(1000),
  );
});
