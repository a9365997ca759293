import { beforeAll, expect, test } from "vitest";
import { compileExpression } from "./compile.ts";
import { type KubernetesCel, loadKubernetesCel } from "./kubernetes-environment.ts";
import { COST_EXCEEDED, compileProgram, type Outcome } from "./program.ts";

let cel: KubernetesCel;
beforeAll(async () => {
  cel = await loadKubernetesCel();
});

function run(source: string, limit = 1_000_000): Outcome {
  const compiled = compileExpression(source, cel.environment, cel.regex);
  if ("issues" in compiled) throw new Error(compiled.issues);
  return compileProgram(compiled.expr, cel.environment).run(() => undefined, limit);
}

test.each([
  // Numbers.
  "7 / 2 == 3 && -7 % 3 == -1",
  "dyn(1) == dyn(1.0) && dyn(1u) < dyn(1.5)",
  "0x1F == 31 && 1e3 == 1000.0 && double('1.5') == 1.5",
  "int('-9223372036854775808') == -9223372036854775808",
  "string(1.0) == '1' && string(1e6) == '1e+06' && string(0.1) == '0.1'",
  // Strings are counted in code points.
  "size('é😀') == 2 && 'é😀'.charAt(1) == '😀' && 'a\\u00e9\\x41' == 'aéA'",
  "'abc'.substring(1) == 'bc' && 'a,b,c'.split(',', 2) == ['a', 'b,c'] && ['a', 'b'].join('-') == 'a-b'",
  "'Hello'.lowerAscii() == 'hello' && ' a '.trim() == 'a' && 'abab'.replace('a', 'x', 1) == 'xbab'",
  "'%s %d %.2f %x %b %%'.format(['x', 1, 1.005, 255, 5]) == 'x 1 1.00 ff 101 %'",
  "'%s'.format([{'b': [1, true], 'a': duration('1h')}]) == '{\"a\":duration(\"3600s\"), \"b\":[1, true]}'",
  // Regular expressions.
  "'a1b22'.findAll('[0-9]+') == ['1', '22'] && 'abc'.find('b.') == 'bc' && 'abc'.matches('^a.c$')",
  // Lists and maps.
  "[3, 1, 2].sum() == 6 && ![3, 1, 2].isSorted() && [3, 1, 2].min() == 1 && [1, 2, 1].lastIndexOf(1) == 2",
  "[1, 2, 3].map(x, x > 1, x * 2) == [4, 6] && [1, 2].exists_one(x, x == 1) && [[1], [2]].flatten() == [1, 2]",
  "[3, 1, 2].sort() == [1, 2, 3] && lists.range(3) == [0, 1, 2] && [1, 1, 2].distinct() == [1, 2]",
  "{'a': 1}.transformMap(k, v, v + 1) == {'a': 2} && [5].transformList(i, v, i + v) == [5] && {'a': 1}.all(k, v, k == 'a' && v == 1)",
  "'a' in {'a': 1} && dyn({1: 'x'})[1u] == 'x' && sets.contains([1, 2], [2]) && sets.intersects([1], [1])",
  // Optionals.
  "optional.none().orValue(3) == 3 && {'a': 1}[?'b'].orValue(2) == 2 && {'a': {'b': 1}}.?a.?b.hasValue() && [?optional.none()] == []",
  // Time.
  "timestamp('2024-02-28T23:00:00Z') + duration('25h') == timestamp('2024-03-01T00:00:00Z')",
  "timestamp('2024-01-01T00:00:00Z').getHours('+01:30') == 1 && duration('90m').getMinutes() == 90",
  // Kubernetes' own.
  "quantity('1Gi').isGreaterThan(quantity('1G')) && quantity('1.5').add(1).compareTo(quantity('2500m')) == 0 && !isQuantity('1ab')",
  "ip('::1').family() == 6 && ip('127.0.0.1').isLoopback() && !isIP('1.2.3') && ip.isCanonical('::1')",
  "cidr('10.0.0.0/8').containsIP('10.1.2.3') && cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16') && !isCIDR('10.0.0.0')",
  "semver('1.2.3').isLessThan(semver('1.10.0')) && isSemver('1.0.0-rc.1') && semver('v1.0', true).minor() == 0",
  "url('https://a.b:1/c%20d?e=f').getPort() == '1' && url('https://a.b/c').getHostname() == 'a.b' && !isURL('a b')",
  "format.dns1123Label().validate('A').hasValue() && !format.named('none').hasValue()",
  // Failures are absorbed by what does not need them.
  "!(false && 1 / 0 > 0) && (1 / 0 > 0 || true) && ![0, 2].all(x, 1 / x > 1) && [0, 1].exists(x, 1 / x == 1)",
  "type(1) == int && type('') == string && type([]) == list && type(type(1)) == type",
])("%s", (source) => expect(run(source)).toMatchObject({ value: true }));

test.each([
  ["1 / 0", "division by zero"],
  ["9223372036854775807 + 1", "integer overflow"],
  ["{'a': 1}.b", "no such key: b"],
  ["[1][1]", "index out of bounds: 1"],
  ["dyn('a') + dyn(1)", "no such overload"],
  ["optional.none().value()", "optional.none() dereference"],
  ["[0, 2].all(x, 1 / x >= 0)", "division by zero"],
])("%s fails: %s", (source, error) => expect(run(source)).toMatchObject({ error }));

test.each([
  ["1 + 2 == 3", 2],
  ["'a'.contains('b')", 1],
  ["[1, 2, 3].exists(x, x == 4)", 19],
  ["'a1b22'.findAll('[0-9]+') == ['1']", 3],
])("%s costs %d", (source, cost) => {
  const outcome = run(source);
  expect(outcome.cost).toBe(cost);
});

test("what costs too much is left, soon", () => {
  const digits = "[0,1,2,3,4,5,6,7,8,9]";
  const loops = Array.from("abcdefgh", (name) => `${digits}.all(${name}, `).join("");
  const outcome = run(`${loops}a + b >= 0${")".repeat(8)}`);
  expect(outcome).toMatchObject({ error: COST_EXCEEDED, cancelled: true });
});
