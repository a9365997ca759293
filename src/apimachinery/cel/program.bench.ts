import { bench, describe } from "vitest";
import { compileExpression } from "./compile.ts";
import { loadKubernetesCel } from "./kubernetes-environment.ts";
import { compileProgram, type Program } from "./program.ts";

const { environment, regex } = await loadKubernetesCel();
const LIMIT = 1_000_000;
const SOURCES = {
  "a comparison": "1 + 2 < 4 && 'a' != 'b'",
  "a list of ten": "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10].all(x, x > 0 && x < 100)",
  "a pattern": "'registry.example.com/team/app:1.2.3'.matches('^[a-z0-9.]+/[a-z/]+:[0-9.]+$')",
  "a quantity": "quantity('1500m').isLessThan(quantity('2'))",
};

function made(source: string): Program {
  const compiled = compileExpression(source, environment, regex);
  if ("issues" in compiled) throw new Error(compiled.issues);
  return compileProgram(compiled.expr, environment);
}

describe("CEL", () => {
  for (const [name, source] of Object.entries(SOURCES)) {
    const program = made(source);
    bench(`${name}: compiled`, () => void made(source));
    bench(`${name}: evaluated`, () => void program.run(() => undefined, LIMIT));
  }
});
