import { parseFieldSelector } from "#apimachinery/fields/selector.ts";
import { parseLabelSelector } from "#apimachinery/labels/parse.ts";
import type { Clock } from "#base/clock.ts";
import type { Logger } from "#component-base/logging.ts";
import { AnswerCache } from "../answer-cache.ts";
import type { ConfiguredExpression } from "../cel/configured-expression.ts";
import type { AnsweredReview } from "../webhook/review-webhook.ts";
import type { AuthorizationAttributes, Authorizer, Decision } from "./authorizer.ts";
import { conditionsHold, type ReviewSelectors } from "./match-conditions.ts";

/** Answers that are remembered, as upstream. */
const ENTRIES_MAX = 8192;
/** Questions with more text than this, which the client chose, are not remembered. */
const CACHED_QUESTION_LENGTH_MAX = 10_000;

interface ReviewStatus {
  readonly allowed?: boolean;
  readonly denied?: boolean;
  readonly reason?: string;
}

/** Options of {@link webhookAuthorizer}. */
export interface WebhookAuthorizerOptions {
  readonly post: (review: object) => Promise<AnsweredReview>;
  readonly version: "v1" | "v1beta1";
  /** How long a yes is good, and how long a no; 0 for not at all. Milliseconds. */
  readonly authorizedTtlMs: number;
  readonly unauthorizedTtlMs: number;
  /** What it means that the webhook cannot be asked. */
  readonly decisionOnError: "deny" | "no-opinion";
  /** It is asked only where all of these hold. */
  readonly conditions: readonly ConfiguredExpression[];
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Asks a SubjectAccessReview webhook. */
export function webhookAuthorizer(options: WebhookAuthorizerOptions): Authorizer {
  const { authorizedTtlMs, unauthorizedTtlMs, decisionOnError, conditions, logger } = options;
  const known = new AnswerCache<ReviewStatus>(options.clock, ENTRIES_MAX);
  const lifeMs = ({ allowed }: ReviewStatus): number => (allowed === true ? authorizedTtlMs : unauthorizedTtlMs);
  return {
    async authorize(asked) {
      const selectors = selectorsOf(asked);
      const spec = reviewSpec(asked, selectors, options.version);
      const isKept = questionLength(asked) < CACHED_QUESTION_LENGTH_MAX;
      try {
        if (conditions.length > 0 && !conditionsHold(conditions, asked, selectors)) return { decision: "no-opinion", reason: "" };
        const ask = (): Promise<ReviewStatus> => review(options, spec);
        return decisionOf(await (isKept ? known.fetch(JSON.stringify(spec), ask, lifeMs) : ask()));
      } catch (error) {
        logger.warn({ err: error }, "the authorization webhook could not be asked");
        return { decision: decisionOnError, reason: "", error: (error as Error).message };
      }
    },
  };
}

async function review({ post, version }: WebhookAuthorizerOptions, spec: object): Promise<ReviewStatus> {
  const answer = await post({
    kind: "SubjectAccessReview",
    apiVersion: `authorization.k8s.io/${version}`,
    metadata: {},
    spec,
    status: { allowed: false },
  });
  return (answer.status ?? {}) as ReviewStatus;
}

function decisionOf({ allowed, denied, reason = "" }: ReviewStatus): Decision {
  if (denied === true && allowed === true) {
    return { decision: "deny", reason, error: "webhook subject access review returned both allow and deny response" };
  }
  if (denied === true) return { decision: "deny", reason };
  return { decision: allowed === true ? "allow" : "no-opinion", reason };
}

function questionLength(asked: AuthorizationAttributes): number {
  const { namespace, verb, apiGroup, apiVersion, resource, subresource, name, path } = asked;
  return [namespace, verb, apiGroup, apiVersion, resource, subresource, name, path].join("").length;
}

/** The spec of a SubjectAccessReview; absent fields are left out as Go does. */
function reviewSpec(asked: AuthorizationAttributes, selectors: ReviewSelectors, version: "v1" | "v1beta1"): object {
  const { user, isResourceRequest } = asked;
  const groups = version === "v1" ? { groups: user.groups } : { group: user.groups };
  const attributes = isResourceRequest
    ? { resourceAttributes: resourceAttributes(asked, selectors) }
    : { nonResourceAttributes: { path: asked.path, verb: asked.verb } };
  return {
    ...attributes,
    user: user.name,
    ...(user.groups.length === 0 ? {} : groups),
    ...(Object.keys(user.extra).length === 0 ? {} : { extra: user.extra }),
    ...(user.uid === "" ? {} : { uid: user.uid }),
  };
}

function resourceAttributes(asked: AuthorizationAttributes, selectors: ReviewSelectors): object {
  const { namespace, verb, apiGroup: group, apiVersion: version, resource, subresource, name } = asked;
  const texts = Object.entries({ namespace, verb, group, version, resource, subresource, name });
  return { ...Object.fromEntries(texts.filter(([, value]) => value !== "")), ...selectors };
}

function selectorsOf(asked: AuthorizationAttributes): ReviewSelectors {
  const fields = fieldRequirements(asked.fieldSelector);
  const labels = labelRequirements(asked.labelSelector);
  return {
    ...(fields.length === 0 ? {} : { fieldSelector: { requirements: fields } }),
    ...(labels.length === 0 ? {} : { labelSelector: { requirements: labels } }),
  };
}

/** Selectors only narrow what is asked for: one that cannot be read is left out. */
function fieldRequirements(text: string | undefined): object[] {
  if (text === undefined || text === "") return [];
  try {
    return parseFieldSelector(text).requirements.map(({ field, operator, value }) => ({
      key: field,
      operator: operator === "=" ? "In" : "NotIn",
      values: [value],
    }));
  } catch {
    return [];
  }
}

const LABEL_OPERATORS: Readonly<Record<string, string>> = {
  "=": "In",
  "==": "In",
  in: "In",
  "!=": "NotIn",
  notin: "NotIn",
  exists: "Exists",
  "!": "DoesNotExist",
};

function labelRequirements(text: string | undefined): object[] {
  if (text === undefined || text === "") return [];
  try {
    return parseLabelSelector(text).requirements.flatMap(({ key, operator, values }) => {
      const known = LABEL_OPERATORS[operator];
      if (known === undefined) return [];
      const list = [...values];
      return [{ key, operator: known, ...(list.length === 0 ? {} : { values: list }) }];
    });
  } catch {
    return [];
  }
}
