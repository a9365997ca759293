import type { IpFamily } from "../traffic/ip-family.ts";
import type { NftChain, NftElement, NftSet } from "./fragment.ts";
import { isAffinitySet, TABLE } from "./names.ts";
import type { TableChange } from "./table-model.ts";

/** What a former run left of the table. */
export interface FormerTable {
  /** Names, with whether they are at a hook. */
  readonly chains: ReadonlyMap<string, boolean>;
  /** Sets and maps with the seconds that elements stay, where they go by themselves. */
  readonly sets: ReadonlyMap<string, { readonly kind: "set" | "map"; readonly timeoutSeconds: number | undefined }>;
}

/** `ip kube-proxy`. */
export function tableOf(family: IpFamily): string {
  return `${family === "IPv4" ? "ip" : "ip6"} ${TABLE}`;
}

/** The change as commands for `nft -f -`, which does all of them or none. Removed chains are emptied only: older kernels let go of them later. */
export function transaction(family: IpFamily, change: TableChange): string {
  const table = tableOf(family);
  const lines = [
    ...change.chains.map(([name, chain, isNew]) => (isNew ? addChain(table, name, chain) : `flush chain ${table} ${name}`)),
    ...change.removedChains.map((name) => `flush chain ${table} ${name}`),
    ...change.removedElements.map((element) => `delete element ${table} ${element.container} { ${element.key} }`),
    ...change.removedSets.map(([name, { kind }]) => `delete ${kind} ${table} ${name}`),
    ...change.sets.map(([name, set]) => addSet(table, name, set)),
    ...change.chains.flatMap(([name, { rules }]) => rules.map((rule) => `add rule ${table} ${name} ${rule}`)),
    ...change.elements.map((element) => addElement(table, element)),
  ];
  return lines.map((line) => `${line}\n`).join("");
}

/** Makes the table all anew in place of what is there. Clients of former affinity sets keep their endpoints. */
export function initialTransaction(family: IpFamily, change: TableChange, former: FormerTable | undefined): string {
  const table = tableOf(family);
  const created = `add table ${table} { comment "rules for kube-proxy" ; }\n`;
  if (former === undefined) return created + transaction(family, change);
  const wanted = new Map(change.sets);
  const isKept = (name: string): boolean =>
    isAffinitySet(name) && wanted.get(name)?.definition.endsWith(`timeout ${former.sets.get(name)?.timeoutSeconds}s ;`) === true;
  const hooked = [...former.chains].flatMap(([name, isHooked]) => (isHooked ? [name] : []));
  const lines = [
    ...[...former.chains.keys()].map((name) => `flush chain ${table} ${name}`),
    // What a chain is hooked to cannot be changed.
    ...hooked.map((name) => `delete chain ${table} ${name}`),
    ...[...former.sets].flatMap(([name, { kind }]) => (isKept(name) ? [] : [`delete ${kind} ${table} ${name}`])),
  ];
  const missing = { ...change, sets: change.sets.filter(([name]) => !isKept(name)) };
  return created + lines.map((line) => `${line}\n`).join("") + transaction(family, missing);
}

/** Removes the table with everything in it; no error where there is none. */
export function removeTable(family: IpFamily): string {
  return `add table ${tableOf(family)}\ndelete table ${tableOf(family)}\n`;
}

/** Removes chains that nothing leads to any more. */
export function removeChains(family: IpFamily, names: Iterable<string>): string {
  return [...names].map((name) => `delete chain ${tableOf(family)} ${name}\n`).join("");
}

/** Reads `nft -j -t list table`. Throws for what is not its output. */
export function readFormerTable(json: string): FormerTable {
  interface Named {
    readonly name: string;
    readonly hook?: string;
    readonly timeout?: number;
  }
  const { nftables } = JSON.parse(json) as { readonly nftables: readonly Readonly<Record<string, Named>>[] };
  const of = (kind: string): readonly Named[] => nftables.flatMap((entry) => entry[kind] ?? []);
  const sets = (["set", "map"] as const).flatMap((kind) =>
    of(kind).map(({ name, timeout }) => [name, { kind, timeoutSeconds: timeout }] as const),
  );
  return { chains: new Map(of("chain").map(({ name, hook }) => [name, hook !== undefined])), sets: new Map(sets) };
}

function addChain(table: string, name: string, { hook, comment }: NftChain): string {
  const parts = [...(hook === undefined ? [] : [`${hook} ;`]), ...(comment === undefined ? [] : [`comment "${comment}" ;`])];
  return `add chain ${table} ${name}${parts.length === 0 ? "" : ` { ${parts.join(" ")} }`}`;
}

function addSet(table: string, name: string, { kind, definition }: NftSet): string {
  return `add ${kind} ${table} ${name} { ${definition} }`;
}

function addElement(table: string, { container, key, value, comment }: NftElement): string {
  const said = comment === undefined ? "" : ` comment "${comment}"`;
  return `add element ${table} ${container} { ${key}${said}${value === undefined ? "" : ` : ${value}`} }`;
}
