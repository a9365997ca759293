import type { AskAuthorizer, AuthorizationAnswer, AuthorizationQuestion } from "#apimachinery/cel/library/authorizer.ts";
import type { Authorizer, Decision } from "../../authorization/authorizer.ts";
import type { UserInfo } from "../../request/request-info.ts";
import { authorizationAttributes } from "./ask-authorizer.ts";

/** Leaves an evaluation until an authorizer has answered that has to ask somebody else. */
class Waiting {
  readonly answer: Promise<void>;

  constructor(answer: Promise<void>) {
    this.answer = answer;
  }
}

/**
 * Evaluates expressions that may ask the authorizer. Expressions do not wait: where an answer takes time, the evaluation is
 * left, and made again when the answer is there. Every question is asked once (upstream's caching authorizer).
 */
export async function evaluateAsking<T>(authorizer: Authorizer, user: UserInfo, evaluate: (ask: AskAuthorizer) => T): Promise<T> {
  const answers = new Map<string, AuthorizationAnswer>();
  const ask: AskAuthorizer = (question) => {
    const key = JSON.stringify(question);
    const known = answers.get(key);
    if (known !== undefined) return known;
    const decision = decide(authorizer, user, question);
    if (decision instanceof Promise) throw new Waiting(decision.then((told) => void answers.set(key, answerOf(told))));
    const answer = answerOf(decision);
    answers.set(key, answer);
    return answer;
  };
  for (;;) {
    try {
      return evaluate(ask);
    } catch (thrown) {
      if (!(thrown instanceof Waiting)) throw thrown;
      await thrown.answer;
    }
  }
}

function decide(authorizer: Authorizer, user: UserInfo, question: AuthorizationQuestion): Decision | Promise<Decision> {
  return authorizer.authorize(authorizationAttributes(user, question));
}

function answerOf({ decision, reason }: Decision): AuthorizationAnswer {
  return { allowed: decision === "allow", reason, error: undefined };
}
