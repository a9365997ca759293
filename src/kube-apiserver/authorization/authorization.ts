import { readFile } from "node:fs/promises";
import { loadKubernetesCel } from "#apimachinery/cel/kubernetes-environment.ts";
import { AbacAuthorizer } from "#apiserver/authorization/abac-authorizer.ts";
import {
  type AuthorizerConfiguration,
  readAuthorizationConfiguration,
  type WebhookConfiguration,
} from "#apiserver/authorization/authorization-configuration.ts";
import type { AuthorizationMode } from "#apiserver/authorization/authorization-modes.ts";
import {
  type Authorizer,
  alwaysAllow,
  alwaysDeny,
  privilegedGroupAuthorizer,
  unionAuthorizer,
} from "#apiserver/authorization/authorizer.ts";
import { RbacAuthorizer } from "#apiserver/authorization/rbac-authorizer.ts";
import type { RbacSource } from "#apiserver/authorization/rbac-source.ts";
import { webhookAuthorizer } from "#apiserver/authorization/webhook-authorizer.ts";
import { ConfigurationError } from "#apiserver/configuration-file.ts";
import type { Stores } from "#apiserver/registry/resource-set.ts";
import type { UserInfo } from "#apiserver/request/request-info.ts";
import { ReviewWebhook } from "#apiserver/webhook/review-webhook.ts";
import type { Clock } from "#base/clock.ts";
import type { Random } from "#base/random.ts";
import { loadKubeconfig } from "#client/kubeconfig.ts";
import type { Logger } from "#component-base/logging.ts";
import type { RuleResolver } from "../registry/authorization/rules-review.ts";
import { reloadFile } from "../reloaded-file.ts";
import { browserSafeAuthorizer } from "./browser-safe-authorizer.ts";
import { nodeAuthorizer, nodeNameOf } from "./node-authorizer.ts";
import { NodeGraph, type PodFeed } from "./node-graph.ts";

/** Who decides what users may do; named after upstream's flags. Files are given by path. */
export interface AuthorizationOptions {
  /** Asked in this order. Default `Node`, `RBAC`. */
  readonly modes?: readonly AuthorizationMode[];
  /** For the mode `Webhook`. */
  readonly webhook?: AuthorizationWebhookOptions;
  /** Policies of the mode `ABAC`, one a line. */
  readonly policyFile?: string;
  /** An AuthorizationConfiguration; in place of all the others. */
  readonly configFile?: string;
}

/** `--authorization-webhook-*`. */
export interface AuthorizationWebhookOptions {
  /** A kubeconfig that says where the webhook is. */
  readonly configFile: string;
  /** Default `v1beta1`, as upstream. */
  readonly version?: "v1" | "v1beta1";
  /** Default five minutes. */
  readonly cacheAuthorizedTtlMs?: number;
  /** Default 30 seconds. */
  readonly cacheUnauthorizedTtlMs?: number;
}

/** What {@link startAuthorization} works with. */
export interface AuthorizationModules {
  readonly stores: Stores;
  readonly pods: () => PodFeed;
  readonly rbacSource: RbacSource;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** How requests are authorized. */
export interface Authorization {
  readonly authorizer: Authorizer;
  /** For the escalation check, whatever the modes. */
  readonly rbac: RbacAuthorizer;
  /** For SelfSubjectRulesReviews. */
  readonly rules: RuleResolver;
  /** Why the rules of a user cannot be told whole; undefined when they can. */
  readonly rulesGap: (user: UserInfo) => string | undefined;
  stop(): void;
}

/** Group whose members may do everything. */
const MASTERS = "system:masters";
const DEFAULT_MODES: readonly AuthorizationMode[] = ["Node", "RBAC"];
const WEBHOOK_TIMEOUT_MS = 30_000;
const AUTHORIZED_TTL_MS: number = 5 * 60 * 1000;
const UNAUTHORIZED_TTL_MS = 30_000;
const EVERYTHING = [
  { verbs: ["*"], apiGroups: ["*"], resources: ["*"] },
  { verbs: ["*"], nonResourceURLs: ["*"] },
];

/** A chain of authorizers, and the webhooks in it. */
interface Chain {
  readonly configurations: readonly AuthorizerConfiguration[];
  readonly authorizer: Authorizer;
  readonly webhooks: readonly ReviewWebhook[];
}

/**
 * Puts the authorizers together in the order of the options. Rejects when these cannot be understood. An
 * AuthorizationConfiguration is read anew when it changes; as upstream, only its webhooks may then be others.
 */
export async function startAuthorization(options: AuthorizationOptions, modules: AuthorizationModules): Promise<Authorization> {
  const { clock, logger } = modules;
  const text = options.configFile === undefined ? undefined : await readFile(options.configFile, "utf8");
  const configurations = await configurationsOf(options, text);
  const abac = await abacOf(options, configurations);
  const rbac = new RbacAuthorizer(modules.rbacSource);
  const build = async (steps: readonly AuthorizerConfiguration[]): Promise<Chain> => {
    const webhooks: ReviewWebhook[] = [];
    const chain: Authorizer[] = [privilegedGroupAuthorizer(MASTERS)];
    for (const step of steps) chain.push(await authorizerOf(step, { rbac, abac }, modules, webhooks));
    return { configurations: steps, authorizer: unionAuthorizer(chain), webhooks };
  };
  let current = await build(configurations);
  const reload = async (changed: string): Promise<void> => {
    const steps = await configurationsOf(options, changed);
    const [before, after] = [builtInTypes(current.configurations), builtInTypes(steps)];
    if (before !== after) throw new ConfigurationError(`authorizers: only webhooks may change while the server runs: ${before}`);
    const last = current;
    current = await build(steps);
    // Whoever asks one of them now gets the answer.
    clock.setTimeout(() => closeAll(last.webhooks), WEBHOOK_TIMEOUT_MS, { unref: true });
  };
  const { configFile } = options;
  const stopReloading =
    configFile === undefined || text === undefined ? () => {} : reloadFile({ path: configFile, text, clock, logger }, reload);
  const has = (type: AuthorizationMode): boolean => current.configurations.some((configuration) => configuration.type === type);
  return {
    authorizer: browserSafeAuthorizer({ authorize: (attributes) => current.authorizer.authorize(attributes) }),
    rbac,
    rules: {
      rulesFor(user, namespace) {
        const own = has("RBAC") ? rbac.rulesFor(user, namespace) : { rules: [], errors: [] };
        const always = has("AlwaysAllow") ? EVERYTHING : [];
        const byFile = has("ABAC") ? (abac?.rulesFor(user, namespace) ?? []) : [];
        return { ...own, rules: [...always, ...own.rules, ...byFile] };
      },
    },
    rulesGap: (user) => {
      const gaps = has("Webhook") ? ["webhook authorizer does not support user rule resolution"] : [];
      if (has("Node") && nodeNameOf(user) !== undefined) gaps.unshift("node authorizer does not support user rule resolution");
      return gaps.length === 0 ? undefined : gaps.join(", ");
    },
    stop: () => {
      stopReloading();
      closeAll(current.webhooks);
    },
  };
}

function builtInTypes(configurations: readonly AuthorizerConfiguration[]): string {
  const types = configurations.map(({ type }) => type).filter((type) => type !== "Webhook");
  return [...new Set(types)].sort().join(", ");
}

function closeAll(webhooks: readonly ReviewWebhook[]): void {
  for (const webhook of webhooks) webhook.close();
}

/** Reads the policies of the mode ABAC. Throws where there is the one without the other. */
async function abacOf(
  { policyFile }: AuthorizationOptions,
  configurations: readonly AuthorizerConfiguration[],
): Promise<AbacAuthorizer | undefined> {
  const isAsked = configurations.some(({ type }) => type === "ABAC");
  if (isAsked && policyFile === undefined) {
    throw new ConfigurationError("authorization-mode ABAC's authorization policy file not passed");
  }
  if (!isAsked && policyFile !== undefined) {
    throw new ConfigurationError("cannot specify --authorization-policy-file without mode ABAC");
  }
  return policyFile === undefined ? undefined : new AbacAuthorizer(await readFile(policyFile, "utf8"), policyFile);
}

/** `text` is what the configuration file says, where there is one. */
async function configurationsOf(
  options: AuthorizationOptions,
  text: string | undefined,
): Promise<readonly AuthorizerConfiguration[]> {
  const { modes, webhook, configFile } = options;
  if (configFile !== undefined && text !== undefined) {
    if (modes !== undefined || webhook !== undefined) {
      throw new ConfigurationError(
        "--authorization-config can not be specified when --authorization-mode or --authorization-webhook-* flags are defined",
      );
    }
    return readAuthorizationConfiguration(text, configFile, await loadKubernetesCel());
  }
  const chosen = modes ?? DEFAULT_MODES;
  const repeated = chosen.find((mode, i) => chosen.indexOf(mode) < i);
  if (chosen.length === 0) throw new ConfigurationError("at least one authorization-mode must be passed");
  if (repeated !== undefined)
    throw new ConfigurationError(`authorization-mode ["${chosen.join('" "')}"] has mode specified more than once`);
  if (chosen.includes("Webhook") !== (webhook !== undefined)) {
    throw new ConfigurationError(
      webhook === undefined
        ? "authorization-mode Webhook's authorization config file not passed"
        : "cannot specify --authorization-webhook-config-file without mode Webhook",
    );
  }
  return chosen.map((type) => (type === "Webhook" ? { type, name: "default", webhook: webhookOf(webhook) } : { type }));
}

function webhookOf(webhook: AuthorizationWebhookOptions | undefined): WebhookConfiguration {
  return {
    kubeConfigFile: webhook?.configFile ?? "",
    version: webhook?.version ?? "v1beta1",
    authorizedTtlMs: webhook?.cacheAuthorizedTtlMs ?? AUTHORIZED_TTL_MS,
    unauthorizedTtlMs: webhook?.cacheUnauthorizedTtlMs ?? UNAUTHORIZED_TTL_MS,
    timeoutMs: WEBHOOK_TIMEOUT_MS,
    failurePolicy: "NoOpinion",
    conditions: [],
  };
}

async function authorizerOf(
  configuration: AuthorizerConfiguration,
  { rbac, abac }: { readonly rbac: RbacAuthorizer; readonly abac: AbacAuthorizer | undefined },
  modules: AuthorizationModules,
  webhooks: ReviewWebhook[],
): Promise<Authorizer> {
  const { stores, pods, clock, random, logger } = modules;
  switch (configuration.type) {
    case "ABAC":
      return abac ?? alwaysDeny;
    case "AlwaysAllow":
      return alwaysAllow;
    case "AlwaysDeny":
      return alwaysDeny;
    case "Node":
      return nodeAuthorizer(stores, new NodeGraph(stores, pods));
    case "RBAC":
      return rbac;
    case "Webhook": {
      const { kubeConfigFile, timeoutMs, failurePolicy, ...rest } = configuration.webhook;
      const webhook = new ReviewWebhook({ target: await loadKubeconfig(kubeConfigFile), clock, random, timeoutMs });
      webhooks.push(webhook);
      const decisionOnError = failurePolicy === "Deny" ? "deny" : "no-opinion";
      return webhookAuthorizer({ ...rest, decisionOnError, post: (review) => webhook.post(review), clock, logger });
    }
  }
}
