import { BlockList } from "node:net";
import type { NodeAddresses, Outcome, Packet, Step, Travelling } from "./packet.ts";

type Tables = "filter" | "nat" | "mangle";
const BUILT_IN: Readonly<Record<string, readonly string[]>> = {
  filter: ["INPUT", "FORWARD", "OUTPUT"],
  nat: ["PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"],
  mangle: [],
};

const WITHOUT_VALUE = ["--set", "--reap"];

/** The tables of iptables, by the manual: takes what `iptables-restore --noflush` takes of what the proxy writes, and leads packets through. */
export class IptablesMachine {
  readonly tables: Map<string, Map<string, string[]>> = new Map(
    Object.entries(BUILT_IN).map(([table, chains]) => [table, new Map(chains.map((chain) => [chain, []]))]),
  );
  readonly #node: NodeAddresses;

  constructor(node: NodeAddresses) {
    this.#node = node;
  }

  /** What `iptables-save` would print. */
  save(): string {
    return [...this.tables]
      .map(([table, chains]) => {
        const names = [...chains.keys()].map((name) => `:${name} - [0:0]`);
        const rules = [...chains].flatMap(([name, list]) => list.map((rule) => `-A ${name} ${rule}`));
        return `*${table}\n${[...names, ...rules].join("\n")}\nCOMMIT\n`;
      })
      .join("");
  }

  /** Restores. Throws where a line cannot be carried out. */
  restore(input: string): void {
    let chains = new Map<string, string[]>();
    for (const line of input.split("\n").filter((text) => text !== "" && text !== "COMMIT")) {
      if (line.startsWith("*")) chains = this.tables.get(line.slice(1)) ?? new Map();
      else if (line.startsWith(":")) chains.set(line.slice(1).split(" ")[0] ?? "", []);
      else this.#line(chains, line);
    }
    for (const [table, all] of this.tables) {
      const targets = [...all.values()].flat().flatMap((rule) => / -j (KUBE-\S+)/.exec(` ${rule}`)?.[1] ?? []);
      const lost = targets.find((target) => !all.has(target));
      if (lost !== undefined) throw new Error(`nothing is called ${lost} in ${table}`);
    }
  }

  #line(chains: Map<string, string[]>, line: string): void {
    const [, verb = "", name = "", rule = ""] = /^-(\w) (\S+)(?: (.*))?$/.exec(line) ?? [];
    const rules = chains.get(name);
    if (rules === undefined) throw new Error(`no chain ${name}: ${line}`);
    if (verb === "A") rules.push(rule);
    else if (verb === "I") rules.unshift(rule.replace(/^1 /, ""));
    else if (verb === "D") rules.splice(rules.indexOf(rule), 1);
    else if (verb === "X") {
      if ([...chains.values()].some((others) => others.some((other) => ` ${other}`.endsWith(` -j ${name}`)))) {
        throw new Error(`chain ${name} is in use`);
      }
      if (rules.length > 0) throw new Error(`chain ${name} is not empty`);
      chains.delete(name);
    } else throw new Error(`unknown command: ${line}`);
  }

  /** All that may become of a packet, whatever chance decides. */
  outcomes(packet: Packet): readonly Outcome[] {
    const first = packet.isOwn ? "OUTPUT" : "PREROUTING";
    return this.#walk("nat", first, { ...packet, mark: 0, translated: false }).flatMap((step): readonly Outcome[] => {
      const hook = packet.isOwn ? "OUTPUT" : this.#node.local.includes(step.packet.destination) ? "INPUT" : "FORWARD";
      const isOwnInput = packet.isOwn && this.#node.local.includes(step.packet.destination);
      const judged = this.#walk("filter", hook, step.packet).flatMap((after) =>
        // What the node sends to itself comes in again.
        isOwnInput && !isFinal(after) ? this.#walk("filter", "INPUT", after.packet) : [after],
      );
      return judged.flatMap((after): readonly Outcome[] => {
        if (after.verdict === "drop" || after.verdict === "reject") return [{ to: after.verdict, masq: false }];
        return this.#walk("nat", "POSTROUTING", after.packet).map(({ packet: last, verdict }) => ({
          to: last.translated ? `${last.destination}:${last.port}` : "elsewhere",
          masq: verdict === "masquerade",
        }));
      });
    });
  }

  #walk(table: Tables, name: string, packet: Travelling, from = 0): readonly Step[] {
    const rule = this.tables.get(table)?.get(name)?.[from];
    if (rule === undefined) return [{ packet, verdict: "next" }];
    return this.#apply(table, rule, packet).flatMap((step) =>
      step.verdict === "next" ? this.#walk(table, name, step.packet, from + 1) : [step],
    );
  }

  #apply(table: Tables, rule: string, packet: Travelling): readonly Step[] {
    const words = [...rule.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? "");
    const missed: readonly Step[] = [{ packet, verdict: "next" }];
    let isChance = false;
    let not = false;
    for (let i = 0; i < words.length; i++) {
      const [word = "", value = ""] = [words[i], words[i + 1]];
      if (word === "!") {
        not = true;
        continue;
      }
      if (word === "-j") {
        const hit = this.#target(table, value, words.slice(i + 2), packet);
        return isChance ? [...missed, ...hit] : hit;
      }
      if (WITHOUT_VALUE.includes(word)) continue;
      const matches = this.#matches(word, value, packet);
      if (matches === "chance") isChance = true;
      else if (matches === not) return missed;
      not = false;
      i++;
    }
    return missed;
  }

  #matches(word: string, value: string, packet: Travelling): boolean | "chance" {
    switch (word) {
      case "-m":
      case "--comment":
      case "--mode":
      case "--name":
      case "--seconds":
        return true;
      case "-p":
        return packet.protocol === value;
      case "-d":
        return lies(packet.destination, value);
      case "-s":
        return lies(packet.source, value);
      case "--dport":
        return packet.port === Number(value);
      case "--dst-type":
        return this.#node.local.includes(packet.destination);
      case "--src-type":
        return this.#node.local.includes(packet.source);
      case "--mark":
        return (packet.mark & Number(value.split("/")[0])) !== 0;
      case "--probability":
        return "chance";
      case "--ctstate":
        return value.split(",").includes("NEW") || (value.split(",").includes("DNAT") && packet.translated);
      case "--rcheck":
        // Nobody has been here before.
        return false;
      default:
        throw new Error(`unknown match: ${word} ${value}`);
    }
  }

  #target(table: Tables, target: string, options: readonly string[], packet: Travelling): readonly Step[] {
    switch (target) {
      case "DROP":
        return [{ packet, verdict: "drop" }];
      case "REJECT":
        return [{ packet, verdict: "reject" }];
      case "ACCEPT":
        return [{ packet, verdict: "end" }];
      case "RETURN":
        return [{ packet, verdict: "return" }];
      case "MASQUERADE":
        return [{ packet, verdict: "masquerade" }];
      case "MARK": {
        const [how, value] = options;
        const mark = how === "--or-mark" ? packet.mark | Number(value) : packet.mark ^ Number(value);
        return [{ packet: { ...packet, mark }, verdict: "next" }];
      }
      case "DNAT": {
        const [, address = "", port = ""] = /^\[?([0-9a-f.:]+?)\]?:(\d+)$/.exec(options[1] ?? "") ?? [];
        return [{ packet: { ...packet, destination: address, port: Number(port), translated: true }, verdict: "end" }];
      }
      default:
        return this.#walk(table, target, packet).map((step) => (step.verdict === "return" ? { ...step, verdict: "next" } : step));
    }
  }
}

function isFinal({ verdict }: Step): boolean {
  return verdict === "drop" || verdict === "reject";
}

function lies(address: string, network: string): boolean {
  const [base = "", length] = network.split("/");
  const [family, bits] = base.includes(":") ? (["ipv6", 128] as const) : (["ipv4", 32] as const);
  if (address.includes(":") !== base.includes(":")) return false;
  const list = new BlockList();
  list.addSubnet(base, Number(length ?? bits), family);
  return list.check(address, family);
}
