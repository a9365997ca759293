import type { ProxyMode } from "./configuration/proxy-configuration.ts";
import type { NodeFacts } from "./traffic/node-facts.ts";
import type { PortTraffic } from "./traffic/port-traffic.ts";

/** What rules are to be. */
export interface RuleUpdate {
  readonly node: NodeFacts;
  /** Networks of cluster addresses, of the family: what is not given out of them leads nowhere. */
  readonly serviceNetworks: readonly string[];
  /** Services that may have changed, by `namespace/name`; without ports: their rules go. All there are when `fromScratch`. */
  readonly services: ReadonlyMap<string, readonly PortTraffic[]>;
  /** Nothing is known of what is in place: it is looked up and replaced, without a moment without rules. */
  readonly fromScratch: boolean;
}

/** What an update came to. */
export interface RuleResult {
  /** Something stays behind for now: {@link RuleBackend.tidy} is due after so many milliseconds. */
  readonly tidyAfterMs?: number;
}

/** The rules of one family of addresses, in the kernel. Calls come one after another. Failures are `ToolError`s, after which the next update is from scratch. */
export interface RuleBackend {
  readonly mode: ProxyMode;
  /** Puts rules in place; what did not change is left alone. */
  sync(update: RuleUpdate): Promise<RuleResult>;
  /** Removes what could not be removed at once. */
  tidy(): Promise<void>;
  /** Whether the rules are still there: others may clear all of a table. */
  isInPlace(): Promise<boolean>;
  /** Removes all that it ever made, also what a former run left. */
  remove(): Promise<void>;
}
