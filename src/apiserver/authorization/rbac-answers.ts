import { OldestFirst } from "#base/oldest-first.ts";
import type { UserInfo } from "../request/request-info.ts";
import type { AuthorizationAttributes, Decision } from "./authorizer.ts";
import { isNamed, type PolicyRule, ruleAllowsKind } from "./policy-rule.ts";

/** Kinds of questions whose answers are remembered: users times verbs times resources times namespaces. */
const ENTRIES_MAX = 4096;
/** Users with very many groups, and reviews with very long texts, are looked at each time. */
const KEY_LENGTH_MAX = 4096;

/** A binding that applies to a user, with its role's rules. */
export interface AppliedBinding {
  readonly rules: readonly PolicyRule[];
  /** Why there are none. */
  readonly error?: string;
  readonly allowed: () => Decision;
}

/** The answers to all questions that differ in the object's name alone. */
interface Entry {
  /** For any name, with the binding's place in the order. */
  readonly any: Placed | undefined;
  /** For single names, where bindings before that one give them. */
  readonly byName: ReadonlyMap<string, Placed>;
  readonly refused: Decision;
}

interface Placed {
  readonly place: number;
  readonly decision: Decision;
}

/**
 * Remembers what roles and bindings said, until one of them changes. Rules depend on nothing else, so that an answer is
 * right as long as the version is the same.
 */
export class RbacAnswers {
  readonly #entries = new Map<string, Entry>();
  readonly #oldest = new OldestFirst(this.#entries);
  readonly #userKeys = new WeakMap<UserInfo, string>();
  #version: unknown;

  /** `version` stands for all roles and bindings; `visit` gives the bindings that apply, in order. */
  answer(
    asked: AuthorizationAttributes,
    version: unknown,
    visit: () => Iterable<AppliedBinding>,
    refusal: (errors: readonly string[]) => Decision,
  ): Decision {
    if (version !== this.#version) {
      this.#entries.clear();
      this.#version = version;
    }
    const key = this.#keyOf(asked);
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      entry = entryOf(asked, visit(), refusal);
      this.#remember(key, entry);
    }
    const { any, byName, refused } = entry;
    const named = byName.size === 0 ? undefined : byName.get(asked.name);
    if (named !== undefined && (any === undefined || named.place < any.place)) return named.decision;
    return any?.decision ?? refused;
  }

  #remember(key: string, entry: Entry): void {
    if (key.length > KEY_LENGTH_MAX) return;
    if (this.#entries.size >= ENTRIES_MAX) {
      const oldest = this.#oldest.next();
      if (oldest !== undefined) this.#entries.delete(oldest);
    }
    this.#entries.set(key, entry);
  }

  #keyOf(asked: AuthorizationAttributes): string {
    const { user, verb, isResourceRequest, apiGroup, resource, subresource, namespace, path } = asked;
    let userKey = this.#userKeys.get(user);
    if (userKey === undefined) {
      userKey = userKeyOf(user);
      this.#userKeys.set(user, userKey);
    }
    // With lengths, so that no two questions have the same: reviews may ask with whatever texts they like.
    const head = `${verb.length}:${verb}${namespace.length}:${namespace}`;
    if (!isResourceRequest) return `${head}${path.length}:${path}${userKey}`;
    return `${head} ${apiGroup.length}:${apiGroup}${resource.length}:${resource}${subresource.length}:${subresource}${userKey}`;
  }
}

/** With the length of each name, so that no two users have the same, whatever stands in the names. */
function userKeyOf({ name, groups }: UserInfo): string {
  return [name, ...groups].map((part) => `${part.length}:${part}`).join("");
}

function entryOf(
  asked: AuthorizationAttributes,
  bindings: Iterable<AppliedBinding>,
  refusal: (errors: readonly string[]) => Decision,
): Entry {
  const byName = new Map<string, Placed>();
  const errors: string[] = [];
  let place = 0;
  for (const { rules, error, allowed } of bindings) {
    place++;
    if (error !== undefined) {
      errors.push(error);
      continue;
    }
    const fitting = rules.filter((rule) => ruleAllowsKind(rule, asked));
    if (fitting.length === 0) continue;
    const found = { place, decision: allowed() };
    // Nothing that comes later can be asked for by any name.
    if (fitting.some((rule) => !asked.isResourceRequest || !isNamed(rule))) {
      return { any: found, byName, refused: found.decision };
    }
    for (const rule of fitting) {
      for (const name of rule.resourceNames ?? []) if (!byName.has(name)) byName.set(name, found);
    }
  }
  return { any: undefined, byName, refused: refusal(errors) };
}
