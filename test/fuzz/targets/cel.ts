import { compileExpression } from "#apimachinery/cel/compile.ts";
import { type Environment, extendEnvironment } from "#apimachinery/cel/declarations.ts";
import { type KubernetesCel, loadKubernetesCel } from "#apimachinery/cel/kubernetes-environment.ts";
import { compileProgram } from "#apimachinery/cel/program.ts";
import { DYN, listOf, mapOf, STRING } from "#apimachinery/cel/types.ts";
import { CelError } from "#apimachinery/cel/values.ts";
import { jsonValue } from "#apiserver/admission/cel/json-value.ts";
import { plainJson } from "#apiserver/admission/cel/plain-json.ts";
import { check, type FuzzTarget, refusing } from "../target.ts";

/** A tenth of what a rule may cost in all: as long as one input may take. */
const COST_MAX = 1_000_000;
const OBJECT = { a: 1, b: "x", c: [1, 2.5, "z", null], d: { e: true, "f-g": {} }, metadata: { name: "n", labels: { k: "v" } } };

let cel: KubernetesCel | undefined;
let environment: Environment | undefined;

/** Expressions: read, checked, and run until their cost is spent. */
export const target: FuzzTarget = {
  prepare: async () => {
    cel = await loadKubernetesCel();
    environment = extendEnvironment(cel.environment, { object: DYN, names: listOf(STRING), labels: mapOf(STRING, STRING) });
  },
  seeds: [
    "object.metadata.name == 'n' && object.c.exists(x, x == 1) || has(object.d.e)",
    "names.map(x, x + 'a').filter(y, y.matches('^[a-z]+$')).size() > 2u ? {'k': [1, -2, 0x3F, 1e3]} : {}",
    "'%s %d %.2f %x'.format(['a', 1, 1.5, 255]).replace('a', 'b').split(' ')",
    "quantity('1Gi').add(quantity('500m')).isGreaterThan(quantity('1')) && isIP('1.2.3.4') && cidr('10.0.0.0/8').containsIP('10.1.1.1')",
    "timestamp('2026-01-01T00:00:00Z') + duration('1h30m') > timestamp('2025-01-01T00:00:00+02:00') || object.?x.orValue(b'\\x00') == b''",
    "url('https://a.b:1/c?d=e').getQuery() == {'d': ['e']} && semver('1.2.3-rc.1').major() == 1 && r'\\d'.find('\\d') == ''",
    "labels.all(k, v, k != v) && lists.range(10).map(i, i * i).sum() == 285 && sets.contains([1], [1]) && [3,1].sort() == [1,3]",
    "object.__proto__ == null || object['constructor'] == 1 || {'__proto__': 1}.__proto__ == 1",
    "lists.range(1000).map(x, lists.range(1000).map(y, 'aaaaaaaaaa' + 'bbbbbbbbbb'))",
    "'a'.format([]) + '\\u00e9\\U0001F600' + '''multi\nline''' + string(9223372036854775807) + string(-1.0e-300)",
  ],
  run: (bytes) => {
    if (cel === undefined || environment === undefined) return;
    const compiled = compileExpression(bytes.toString("utf8"), environment, cel.regex);
    if ("issues" in compiled) {
      check(compiled.issues !== "", "is refused without a reason");
      return;
    }
    const { expr } = compiled;
    const run = refusing([CelError], () => compileProgram(expr, environment as Environment));
    const variables = (name: string): ReturnType<typeof jsonValue> | undefined =>
      name === "object"
        ? jsonValue(OBJECT)
        : name === "names"
          ? jsonValue(["a", "b"])
          : name === "labels"
            ? jsonValue({ k: "v" })
            : undefined;
    const outcome = refusing([CelError], () => run?.run(variables, COST_MAX));
    if (outcome === undefined || "error" in outcome) return;
    refusing([CelError], () => JSON.stringify(plainJson(outcome.value)));
  },
};
