import { aggregateFieldErrors } from "../api-errors/errors.ts";
import { FieldPath } from "../validation/field-path.ts";
import { type Token, tokenize } from "./lexer.ts";
import {
  type LabelOperator,
  type LabelRequirement,
  type LabelSelector,
  labelKeyErrors,
  newRequirement,
  selectorFromRequirements,
} from "./selector.ts";

const OPERATORS: Readonly<Record<string, LabelOperator>> = {
  in: "in",
  notin: "notin",
  "=": "=",
  "==": "==",
  "!=": "!=",
  ">": "gt",
  "<": "lt",
};

/** Reads a selector such as `app in (a,b),!x`. Throws an Error with the text of upstream's `labels.Parse`. */
export function parseLabelSelector(text: string): LabelSelector {
  return selectorFromRequirements(new Parser(tokenize(text)).parse());
}

class Parser {
  readonly #tokens: readonly Token[];
  #position = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  /** `in` and `notin` are words but for the place of an operator. */
  #peek(operatorPlace = false): Token {
    const token = this.#tokens[this.#position] ?? { kind: "end", text: "" };
    return !operatorPlace && token.kind === "word-operator" ? { kind: "identifier", text: token.text } : token;
  }

  #next(operatorPlace = false): Token {
    const token = this.#peek(operatorPlace);
    this.#position++;
    return token;
  }

  parse(): LabelRequirement[] {
    const requirements: LabelRequirement[] = [];
    for (;;) {
      const token = this.#peek();
      if (token.kind === "end") return requirements;
      if (token.kind !== "identifier" && token.kind !== "!") {
        throw new Error(`found '${token.text}', expected: !, identifier, or 'end of string'`);
      }
      requirements.push(this.#wrappedRequirement());
      const after = this.#next();
      if (after.kind === "end") return requirements;
      if (after.kind !== ",") throw new Error(`found '${after.text}', expected: ',' or 'end of string'`);
      const following = this.#peek();
      if (following.kind !== "identifier" && following.kind !== "!") {
        throw new Error(`found '${following.text}', expected: identifier after ','`);
      }
    }
  }

  #wrappedRequirement(): LabelRequirement {
    try {
      return this.#requirement();
    } catch (error) {
      throw new Error(`unable to parse requirement: ${error instanceof Error ? error.message : error}`, { cause: error });
    }
  }

  #requirement(): LabelRequirement {
    let token = this.#next();
    const absent = token.kind === "!";
    if (absent) token = this.#next();
    if (token.kind !== "identifier") throw new Error(`found '${token.text}', expected: identifier`);
    const key = token.text;
    const wrong = labelKeyErrors(key, FieldPath.root);
    if (wrong.length > 0) throw new Error(aggregateFieldErrors(wrong));
    if (absent) return newRequirement(key, "!", []);
    const after = this.#peek().kind;
    if (after === "end" || after === ",") return newRequirement(key, "exists", []);
    const sign = this.#next(true);
    const operator = sign.kind === "operator" || sign.kind === "word-operator" ? OPERATORS[sign.text] : undefined;
    if (operator === undefined) throw new Error(`found '${sign.text}', expected: in, notin, =, ==, !=, gt, lt`);
    const values = operator === "in" || operator === "notin" ? this.#valueList() : this.#exactValue();
    return newRequirement(key, operator, [...values].sort());
  }

  #exactValue(): Set<string> {
    const { kind } = this.#peek();
    if (kind === "end" || kind === ",") return new Set([""]);
    const token = this.#next();
    if (token.kind !== "identifier") throw new Error(`found '${token.text}', expected: identifier`);
    return new Set([token.text]);
  }

  #valueList(): Set<string> {
    const open = this.#next();
    if (open.kind !== "(") throw new Error(`found '${open.text}' expected: '('`);
    const first = this.#peek();
    if (first.kind === ")") {
      this.#next();
      return new Set([""]);
    }
    if (first.kind !== "identifier" && first.kind !== ",") {
      throw new Error(`found '${first.text}', expected: ',', ')' or identifier`);
    }
    const values = this.#identifiers();
    if (this.#next().kind !== ")") throw new Error(`found '${first.text}', expected: ')'`);
    return values;
  }

  #identifiers(): Set<string> {
    const values = new Set<string>();
    for (;;) {
      const token = this.#next();
      const following = this.#peek();
      if (token.kind === "identifier") {
        values.add(token.text);
        if (following.kind === ")") return values;
        if (following.kind !== ",") throw new Error(`found '${following.text}', expected: ',' or ')'`);
      } else if (token.kind === ",") {
        if (values.size === 0) values.add("");
        if (following.kind === ")") {
          values.add("");
          return values;
        }
        if (following.kind === ",") values.add("");
      } else {
        throw new Error(`found '${token.text}', expected: ',', or identifier`);
      }
    }
  }
}
