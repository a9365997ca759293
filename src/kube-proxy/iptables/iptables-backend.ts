import type { ProxyConfiguration } from "../configuration/proxy-configuration.ts";
import { outputOf, type ProxyHost } from "../host.ts";
import type { RuleBackend, RuleResult, RuleUpdate } from "../rule-backend.ts";
import type { IpFamily } from "../traffic/ip-family.ts";
import { type ChainChange, ChainModel } from "./chain-model.ts";
import { canaryInput, groundwork, readSaved, removalInput, restoreInput, type SavedTable } from "./restore.ts";
import { type ServiceRules, serviceRules } from "./service-rules.ts";
import { CANARY, CANARY_TABLES } from "./shared-chains.ts";

/** Seconds to wait for others who write rules. */
const WAIT = ["-w", "5"];

/** How many rules there are, and how many the last update wrote, by table. */
export interface RuleCounts {
  readonly total: Readonly<Record<"filter" | "nat", number>>;
  readonly last: Readonly<Record<"filter" | "nat", number>>;
}

/** Options of {@link IptablesBackend}. */
export interface IptablesOptions {
  readonly family: IpFamily;
  readonly host: ProxyHost;
  readonly configuration: ProxyConfiguration;
  readonly onWritten?: (counts: RuleCounts) => void;
}

/** Rules in chains of iptables, as Kubernetes has made them since v1.2. */
export class IptablesBackend implements RuleBackend {
  readonly mode = "iptables";
  readonly #options: IptablesOptions;
  readonly #command: string;
  readonly #masqueradeMark: string;
  #model: ChainModel | undefined;

  constructor(options: IptablesOptions) {
    this.#options = options;
    this.#command = options.family === "IPv4" ? "iptables" : "ip6tables";
    this.#masqueradeMark = `0x${(2 ** options.configuration.iptables.masqueradeBit).toString(16)}`;
  }

  async sync(update: RuleUpdate): Promise<RuleResult> {
    const isFirst = update.fromScratch || this.#model === undefined;
    const model = isFirst ? new ChainModel() : (this.#model ?? new ChainModel());
    // Until it is in place nobody knows what is.
    this.#model = undefined;
    const { configuration } = this.#options;
    const change = model.update(this.#services(update), {
      node: update.node,
      masqueradeMark: this.#masqueradeMark,
      localhostNodePorts: configuration.iptables.localhostNodePorts,
      tcpBeLiberal: configuration.conntrack.tcpBeLiberal,
    });
    await this.#restore(isFirst ? await this.#firstInput(change) : restoreInput(change));
    this.#options.onWritten?.({ total: change.totals, last: lastCounts(change) });
    this.#model = model;
    return {};
  }

  async tidy(): Promise<void> {
    // Nothing is ever left for later.
  }

  async isInPlace(): Promise<boolean> {
    for (const table of CANARY_TABLES) {
      const { code } = await this.#options.host.run(this.#command, [...WAIT, "-t", table, "-S", CANARY]);
      if (code !== 0) return false;
    }
    return true;
  }

  async remove(): Promise<void> {
    this.#model = undefined;
    await this.#restore(removalInput(await this.#saved()));
  }

  #services({ services, node }: RuleUpdate): ReadonlyMap<string, ServiceRules | undefined> {
    const { masqueradeAll } = this.#options.configuration.iptables;
    const rulesOf = (key: string): ServiceRules | undefined => {
      const ports = services.get(key) ?? [];
      return ports.length === 0 ? undefined : serviceRules(ports, { node, masqueradeAll });
    };
    return new Map([...services.keys()].map((key) => [key, rulesOf(key)]));
  }

  async #firstInput(change: ChainChange): Promise<string> {
    const wanted = new Set(change.chains.map(([, name]) => name));
    return canaryInput() + restoreInput(change, groundwork(await this.#saved(), wanted));
  }

  async #saved(): Promise<ReadonlyMap<string, SavedTable>> {
    const command = `${this.#command}-save`;
    return readSaved(outputOf(command, await this.#options.host.run(command, [])));
  }

  async #restore(input: string): Promise<void> {
    if (input === "") return;
    const command = `${this.#command}-restore`;
    outputOf(command, await this.#options.host.run(command, [...WAIT, "--noflush"], input));
  }
}

function lastCounts({ chains }: ChainChange): RuleCounts["last"] {
  const count = (table: string): number => chains.reduce((sum, [of, , rules]) => sum + (of === table ? rules.length : 0), 0);
  return { filter: count("filter"), nat: count("nat") };
}
