import { FlagError } from "#component-base/flags.ts";
import { ABSENT_CONTROLLERS, ASKED_FOR_CONTROLLERS, CONTROLLER_ALIASES } from "./controller-names.ts";

/** Which of `known` run: `*` for those that run unasked, `NAME` for one more, `-NAME` for one less; the first that says something of one counts. */
export function chosenControllers(words: readonly string[], known: readonly string[]): readonly string[] {
  const rules = words.map((word) => {
    const isOff = word.startsWith("-");
    const name = isOff ? word.slice(1) : word;
    return { isOff, name: CONTROLLER_ALIASES[name] ?? name };
  });
  const wrong = rules.find(({ name }) => name !== "*" && !known.includes(name) && !ABSENT_CONTROLLERS.includes(name));
  if (wrong !== undefined)
    throw new FlagError(`flag --controllers: there is no controller "${wrong.name}". Controllers: ${known.join(", ")}`);
  const hasStar = rules.some(({ name, isOff }) => name === "*" && !isOff);
  return known.filter((name) => {
    const rule = rules.find((one) => one.name === name);
    return rule === undefined ? hasStar && !ASKED_FOR_CONTROLLERS.includes(name) : !rule.isOff;
  });
}
