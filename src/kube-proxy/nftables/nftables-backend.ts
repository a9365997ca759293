import type { ProxyConfiguration } from "../configuration/proxy-configuration.ts";
import { outputOf, type ProxyHost, ToolError } from "../host.ts";
import type { RuleBackend, RuleResult, RuleUpdate } from "../rule-backend.ts";
import type { IpFamily } from "../traffic/ip-family.ts";
import { baseFragment } from "./base-fragment.ts";
import { type NftFragment, NO_FRAGMENT } from "./fragment.ts";
import { TABLE } from "./names.ts";
import { serviceFragment } from "./service-fragment.ts";
import { isNothing, type TableChange, TableModel } from "./table-model.ts";
import {
  type FormerTable,
  initialTransaction,
  readFormerTable,
  removeChains,
  removeTable,
  tableOf,
  transaction,
} from "./transaction.ts";

/** The owner of what all Services share; no Service is called so. */
const BASE = "";
/** Kernels before 6.2 take a chain for used for a while after the last map element that led to it has gone. */
const STALE_CHAINS_MS = 1_000;

/** Options of {@link NftablesBackend}. */
export interface NftablesOptions {
  readonly family: IpFamily;
  readonly host: ProxyHost;
  readonly configuration: ProxyConfiguration;
}

/** Rules in a table of nftables: lookups in maps, whose cost does not grow with the number of Services, changed element by element. */
export class NftablesBackend implements RuleBackend {
  readonly mode = "nftables";
  readonly #family: IpFamily;
  readonly #host: ProxyHost;
  readonly #masqueradeAll: boolean;
  readonly #masqueradeMark: string;
  #model: TableModel | undefined;
  readonly #staleChains = new Set<string>();

  constructor({ family, host, configuration }: NftablesOptions) {
    this.#family = family;
    this.#host = host;
    this.#masqueradeAll = configuration.nftables.masqueradeAll;
    this.#masqueradeMark = `0x${(2 ** configuration.nftables.masqueradeBit).toString(16)}`;
  }

  async sync(update: RuleUpdate): Promise<RuleResult> {
    const fragments = this.#fragments(update);
    if (update.fromScratch || this.#model === undefined) await this.#makeAnew(fragments);
    else await this.#change(this.#model, fragments);
    return this.#staleChains.size === 0 ? {} : { tidyAfterMs: STALE_CHAINS_MS };
  }

  async tidy(): Promise<void> {
    if (this.#staleChains.size === 0) return;
    const script = removeChains(this.#family, this.#staleChains);
    await this.#run(script);
    this.#staleChains.clear();
  }

  async isInPlace(): Promise<boolean> {
    // Cheap: nothing of what is in the tables is read.
    const tables = outputOf("nft list tables", await this.#host.run("nft", ["list", "tables"]));
    return tables.split("\n").includes(`table ${tableOf(this.#family)}`);
  }

  async remove(): Promise<void> {
    this.#model = undefined;
    this.#staleChains.clear();
    await this.#run(removeTable(this.#family));
  }

  #fragments({ node, serviceNetworks, services }: RuleUpdate): Map<string, NftFragment> {
    const options = { node, serviceNetworks, masqueradeAll: this.#masqueradeAll, masqueradeMark: this.#masqueradeMark };
    const fragments = new Map<string, NftFragment>([[BASE, baseFragment(options)]]);
    for (const [key, ports] of services) {
      fragments.set(key, ports.length === 0 ? NO_FRAGMENT : serviceFragment(ports, options));
    }
    return fragments;
  }

  async #makeAnew(fragments: ReadonlyMap<string, NftFragment>): Promise<void> {
    this.#model = undefined;
    const model = new TableModel();
    const change = model.update(fragments);
    const former = await this.#former();
    try {
      await this.#run(initialTransaction(this.#family, change, former));
    } catch (error) {
      if (former === undefined) throw error;
      // Something is there that stands in the way: then all of it goes, in the same step.
      await this.#run(removeTable(this.#family) + initialTransaction(this.#family, change, undefined));
      this.#staleChains.clear();
      this.#model = model;
      return;
    }
    this.#staleChains.clear();
    const wanted = new Set(change.chains.map(([name]) => name));
    for (const [name, isHooked] of former?.chains ?? []) {
      if (!wanted.has(name) && !isHooked) this.#staleChains.add(name);
    }
    this.#model = model;
  }

  async #change(model: TableModel, fragments: ReadonlyMap<string, NftFragment>): Promise<void> {
    // Until it is in place nobody knows what is.
    this.#model = undefined;
    const change = model.update(fragments);
    if (!isNothing(change)) await this.#run(transaction(this.#family, this.#revived(change)));
    for (const name of change.removedChains) this.#staleChains.add(name);
    this.#model = model;
  }

  /** A chain that is empty and waits to be removed is as good as a new one. */
  #revived(change: TableChange): TableChange {
    for (const [name] of change.chains) this.#staleChains.delete(name);
    return change;
  }

  async #former(): Promise<FormerTable | undefined> {
    const result = await this.#host.run("nft", ["-j", "-t", "list", "table", ...tableOf(this.#family).split(" ")]);
    if (/No such file or directory/.test(result.stderr)) return undefined;
    try {
      return readFormerTable(outputOf(`nft list table ${TABLE}`, result));
    } catch (error) {
      if (error instanceof ToolError) throw error;
      throw new ToolError(`nft list table ${TABLE}: ${(error as Error).message}`);
    }
  }

  async #run(script: string): Promise<void> {
    outputOf("nft -f -", await this.#host.run("nft", ["-f", "-"], script));
  }
}
