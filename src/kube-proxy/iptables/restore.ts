import type { ChainChange } from "./chain-model.ts";
import { isServiceChain } from "./names.ts";
import { CANARY, CANARY_TABLES, isProxyChain, JUMPS, jumpRule, type Table } from "./shared-chains.ts";

/** What `iptables-save` shows of a table. */
export interface SavedTable {
  readonly chains: ReadonlySet<string>;
  /** `CHAIN ARGUMENTS`, as it writes them. */
  readonly rules: ReadonlySet<string>;
}

/** Reads the output of `iptables-save` for all tables that it shows. */
export function readSaved(output: string): ReadonlyMap<string, SavedTable> {
  const tables = new Map<string, { chains: Set<string>; rules: Set<string> }>();
  let current = { chains: new Set<string>(), rules: new Set<string>() };
  for (const line of output.split("\n")) {
    if (line.startsWith("*")) {
      current = { chains: new Set(), rules: new Set() };
      tables.set(line.slice(1).trim(), current);
    } else if (line.startsWith(":")) current.chains.add(line.slice(1).split(" ")[0] ?? "");
    else if (line.startsWith("-A ")) current.rules.add(line.slice(3).trim());
  }
  return tables;
}

/** What a first writing has to do beside the chains themselves, given what is there. */
export interface Groundwork {
  /** Rules to put in front of chains of the kernel's. */
  readonly jumps: readonly (readonly [Table, string])[];
  /** Chains of Services that are not any more, in the table nat. */
  readonly stale: readonly string[];
}

/** Compares what is there with what is to be. */
export function groundwork(saved: ReadonlyMap<string, SavedTable>, wanted: ReadonlySet<string>): Groundwork {
  const missing = JUMPS.filter((jump) => !saved.get(jump.table)?.rules.has(`${jump.from} ${jumpRule(jump)}`));
  return {
    jumps: missing.map((jump) => [jump.table, `-I ${jump.from} 1 ${jumpRule(jump)}`]),
    stale: [...(saved.get("nat")?.chains ?? [])].filter((name) => isServiceChain(name) && !wanted.has(name)),
  };
}

/** The change as input of `iptables-restore --noflush`: chains that are named lose their rules and get the new ones, others stay as they are. */
export function restoreInput(change: ChainChange, ground: Groundwork = { jumps: [], stale: [] }): string {
  const removed = [...new Set([...change.removed, ...ground.stale])];
  const tables = (["filter", "nat"] as const).map((table) => {
    const chains = change.chains.filter(([of]) => of === table);
    const gone = table === "nat" ? removed : [];
    const lines = [
      ...[...chains.map(([, name]) => name), ...gone].map((name) => `:${name} - [0:0]`),
      ...ground.jumps.flatMap(([of, rule]) => (of === table ? [rule] : [])),
      ...chains.flatMap(([, name, rules]) => rules.map((rule) => `-A ${name} ${rule}`)),
      ...gone.map((name) => `-X ${name}`),
    ];
    return lines.length === 0 ? "" : `*${table}\n${lines.join("\n")}\nCOMMIT\n`;
  });
  return tables.join("");
}

/** Makes the canaries. */
export function canaryInput(): string {
  return CANARY_TABLES.map((table) => `*${table}\n:${CANARY} - [0:0]\nCOMMIT\n`).join("");
}

/** Removes all chains of the proxy and what leads to them; empty where there is nothing. The kubelet's chain stays, as upstream. */
export function removalInput(saved: ReadonlyMap<string, SavedTable>): string {
  const isOurs = (name: string): boolean => isProxyChain(name) || isServiceChain(name);
  return [...saved]
    .map(([table, { chains, rules }]) => {
      const own = [...chains].filter(isOurs);
      if (own.length === 0) return "";
      const leading = [...rules].filter((rule) => {
        const target = / -[jg] (\S+)/.exec(rule)?.[1] ?? "";
        return isOurs(target) && !isOurs(rule.split(" ")[0] ?? "");
      });
      const lines = [
        ...own.map((name) => `:${name} - [0:0]`),
        ...leading.map((rule) => `-D ${rule}`),
        ...own.map((name) => `-X ${name}`),
      ];
      return `*${table}\n${lines.join("\n")}\nCOMMIT\n`;
    })
    .join("");
}
