import { NODE_PORTS_BEHIND, type NodeRuleOptions, nodeChains, nodePortRules } from "./node-rules.ts";
import type { ServiceRules } from "./service-rules.ts";
import { dispatchKey } from "./service-rules.ts";
import { DISPATCH_CHAINS, type Table } from "./shared-chains.ts";

/** Chains whose rules are to be replaced, and chains that are to go. */
export interface ChainChange {
  readonly chains: readonly (readonly [Table, string, readonly string[]])[];
  /** Of the table nat. */
  readonly removed: readonly string[];
  /** Rules that there are now, in each table. */
  readonly totals: Readonly<Record<Table, number>>;
}

const NO_RULES: ServiceRules = { dispatch: new Map(), chains: new Map() };

/** What the tables hold of the proxy's chains. */
export class ChainModel {
  readonly #services = new Map<string, ServiceRules>();
  readonly #written = new Map<string, string>();
  /** How many rules shared chains have, of which some have one for each Service. */
  readonly #counts = new Map<string, readonly [Table, number]>();
  #ownRules = 0;

  /**
   * Takes Services' rules as they are now; undefined for those that are gone. A Service's own chains cost what they cost; a shared chain
   * with one changed rule is written as a whole, since iptables knows no other way.
   */
  update(services: ReadonlyMap<string, ServiceRules | undefined>, node: NodeRuleOptions): ChainChange {
    const chains: (readonly [Table, string, readonly string[]])[] = [];
    const removed: string[] = [];
    const touched = new Set<string>();
    for (const [key, now = NO_RULES] of services) {
      const before = this.#services.get(key) ?? NO_RULES;
      for (const dispatch of new Set([...before.dispatch.keys(), ...now.dispatch.keys()])) {
        if (text(before.dispatch.get(dispatch)) !== text(now.dispatch.get(dispatch))) touched.add(dispatch);
      }
      for (const [name, rules] of now.chains)
        if (text(before.chains.get(name)) !== text(rules)) chains.push(["nat", name, rules]);
      removed.push(...[...before.chains.keys()].filter((name) => !now.chains.has(name)));
      this.#ownRules += ruleCount(now) - ruleCount(before);
      if (now === NO_RULES) this.#services.delete(key);
      else this.#services.set(key, now);
    }
    return { chains: [...this.#sharedChains(touched, node), ...chains], removed, totals: this.#totals() };
  }

  #sharedChains(touched: ReadonlySet<string>, node: NodeRuleOptions): (readonly [Table, string, readonly string[]])[] {
    const fixed = nodeChains(node);
    const behind = nodePortRules(node);
    const dispatched = DISPATCH_CHAINS.flatMap(([table, chain]): (readonly [Table, string, readonly string[]])[] => {
      const key = dispatchKey(table, chain);
      const isLast = table === "nat" && chain === NODE_PORTS_BEHIND;
      const isChanged =
        touched.has(key) || !this.#written.has(key) || (isLast && this.#written.get("node ports") !== text(behind));
      return isChanged ? [[table, chain, [...this.#dispatchRules(key), ...(isLast ? behind : [])]]] : [];
    });
    this.#written.set("node ports", text(behind));
    const all = [...fixed, ...dispatched];
    const changed = all.filter(([table, chain, rules]) => this.#written.get(dispatchKey(table, chain)) !== text(rules));
    for (const [table, chain, rules] of changed) {
      this.#written.set(dispatchKey(table, chain), text(rules));
      this.#counts.set(dispatchKey(table, chain), [table, rules.length]);
    }
    return changed;
  }

  #dispatchRules(key: string): readonly string[] {
    return [...this.#services.keys()].toSorted().flatMap((service) => this.#services.get(service)?.dispatch.get(key) ?? []);
  }

  #totals(): Record<Table, number> {
    const totals = { filter: 0, nat: this.#ownRules };
    for (const [table, count] of this.#counts.values()) totals[table] += count;
    return totals;
  }
}

function text(rules: readonly string[] | undefined): string {
  return (rules ?? []).join("\n");
}

function ruleCount({ chains }: ServiceRules): number {
  return [...chains.values()].reduce((sum, rules) => sum + rules.length, 0);
}
