import { BlockList } from "node:net";
import type { NodeAddresses, Outcome, Packet, Step, Travelling } from "./packet.ts";

interface Chain {
  readonly hook: string;
  readonly priority: number;
  rules: string[];
}

interface Container {
  readonly elements: Map<string, string>;
}

const KEYS = "(?:ip6?|meta|th|ct) \\w+";

/** A table of nftables, by the manual: takes the commands that the proxy uses, refuses what the kernel would refuse, and leads packets through. */
export class NftMachine {
  readonly chains: Map<string, Chain> = new Map();
  readonly containers: Map<string, Container> = new Map();
  readonly #node: NodeAddresses;

  constructor(node: NodeAddresses) {
    this.#node = node;
  }

  /** Runs a script. Throws where a command cannot be carried out. */
  run(script: string): void {
    for (const line of script.split("\n").filter((text) => text !== "")) this.#command(line);
  }

  #command(line: string): void {
    const [, verb = "", kind = "", , , name = "", rest = ""] = /^(\w+) (\w+) (ip6?) (\S+)(?: (\S+))?(?: (.*))?$/.exec(line) ?? [];
    switch (`${verb} ${kind}`) {
      case "add table":
        return;
      case "add chain": {
        const hook = /hook (\w+) priority (-?\d+)/.exec(rest);
        if (!this.chains.has(name)) this.chains.set(name, { hook: hook?.[1] ?? "", priority: Number(hook?.[2] ?? 0), rules: [] });
        return;
      }
      case "flush chain":
        this.#chain(name).rules = [];
        return;
      case "delete chain": {
        if (this.#isReferenced(name)) throw new Error(`chain ${name} is in use: ${line}`);
        this.#chain(name);
        this.chains.delete(name);
        return;
      }
      case "add set":
      case "add map":
        if (this.containers.has(name)) throw new Error(`there is a ${name} already`);
        this.containers.set(name, { elements: new Map() });
        return;
      case "delete set":
      case "delete map": {
        this.#container(name);
        const using = [...this.chains.values()].flatMap(({ rules }) => rules).find((rule) => rule.includes(`@${name}`));
        if (using !== undefined) throw new Error(`set ${name} is in use by ${using}`);
        this.containers.delete(name);
        return;
      }
      case "add rule":
        this.#addRule(name, rest);
        return;
      case "add element":
        this.#addElement(name, rest);
        return;
      case "delete element": {
        const { elements } = this.#container(name);
        const key = rest.slice(2, -2);
        if (!elements.delete(key)) throw new Error(`no element ${key} in ${name}`);
        return;
      }
      default:
        throw new Error(`unknown command: ${line}`);
    }
  }

  #addRule(name: string, rule: string): void {
    for (const [, chain = ""] of rule.matchAll(/(?:goto|jump) ([^\s,]+)/g)) this.#chain(chain);
    for (const [, set = ""] of rule.matchAll(/@(\S+)/g)) this.#container(set);
    this.#chain(name).rules.push(rule.replace(/ comment "[^"]*"$/, ""));
  }

  #addElement(name: string, rest: string): void {
    const [, key = "", value = ""] = /^\{ (.*?)(?: comment "[^"]*")?(?: : (.*))? \}$/.exec(rest) ?? [];
    const target = /goto (\S+)/.exec(value)?.[1];
    if (target !== undefined) this.#chain(target);
    const { elements } = this.#container(name);
    if (elements.has(key)) throw new Error(`element ${key} is in ${name} already`);
    elements.set(key, value);
  }

  #chain(name: string): Chain {
    const chain = this.chains.get(name);
    if (chain === undefined) throw new Error(`no chain ${name}`);
    return chain;
  }

  #container(name: string): Container {
    const container = this.containers.get(name);
    if (container === undefined) throw new Error(`no set ${name}`);
    return container;
  }

  #isReferenced(name: string): boolean {
    const leads = (text: string): boolean => new RegExp(`(goto|jump) ${name.replaceAll(/[.]/g, "\\.")}( |$|,)`).test(text);
    return (
      [...this.chains.values()].some(({ rules }) => rules.some(leads)) ||
      [...this.containers.values()].some(({ elements }) => [...elements.values()].some(leads))
    );
  }

  /** All that may become of a packet, whatever chance decides. */
  outcomes(packet: Packet): readonly Outcome[] {
    const hooks = packet.isOwn ? ["output"] : ["prerouting"];
    const translated = this.#through(hooks[0] ?? "", [{ ...packet, mark: 0, translated: false }], (priority) => priority < 0);
    return translated.flatMap((step): readonly Outcome[] => {
      if (step.verdict === "drop" || step.verdict === "reject") return [{ to: step.verdict, masq: false }];
      const isHere = this.#node.local.includes(step.packet.destination);
      const left = packet.isOwn ? this.#through("output", [step.packet], (priority) => priority >= 0) : [step];
      // What the node sends to itself comes in again.
      const judged = left.flatMap((out) =>
        ["drop", "reject"].includes(out.verdict) || (packet.isOwn && !isHere)
          ? [out]
          : this.#through(isHere ? "input" : "forward", [out.packet], () => true),
      );
      return judged.flatMap((after): readonly Outcome[] => {
        if (after.verdict === "drop" || after.verdict === "reject") return [{ to: after.verdict, masq: false }];
        return this.#through("postrouting", [after.packet], () => true).map(({ packet: last, verdict }) => ({
          to: last.translated ? `${last.destination}:${last.port}` : "elsewhere",
          masq: verdict === "masquerade",
        }));
      });
    });
  }

  #through(hook: string, packets: readonly Travelling[], isMeant: (priority: number) => boolean): readonly Step[] {
    const chains = [...this.chains]
      .filter(([, chain]) => chain.hook === hook && isMeant(chain.priority))
      .sort(([, a], [, b]) => a.priority - b.priority);
    let steps: readonly Step[] = packets.map((packet) => ({ packet, verdict: "next" }));
    for (const [name] of chains) {
      steps = steps.flatMap((step) =>
        ["drop", "reject", "masquerade"].includes(step.verdict) ? [step] : this.#walk(name, step.packet),
      );
    }
    return steps;
  }

  #walk(name: string, packet: Travelling, from = 0): readonly Step[] {
    const rule = this.#chain(name).rules[from];
    if (rule === undefined) return [{ packet, verdict: "next" }];
    return this.#apply(rule, packet).flatMap((step) =>
      step.verdict === "next" ? this.#walk(name, step.packet, from + 1) : [step],
    );
  }

  /** One rule, from left to right: where a match fails the next rule is tried. */
  #apply(rule: string, packet: Travelling): readonly Step[] {
    let [text, now] = [rule, packet];
    while (text !== "") {
      const found = this.#statements.flatMap(([pattern, does]) => {
        const match = compiled(pattern).exec(text);
        return match === null ? [] : [{ match, does }];
      })[0];
      if (found === undefined) return this.#verdict(text, now);
      text = text.slice(found.match[0].length);
      const result = found.does(
        found.match.slice(1).map((part) => part ?? ""),
        now,
      );
      if (result === false) return [{ packet: now, verdict: "next" }];
      if (Array.isArray(result)) return result as readonly Step[];
      if (result !== true) now = result as Travelling;
    }
    return [{ packet: now, verdict: "next" }];
  }

  /** Matches say whether they match; statements change the packet, or end the rule. */
  readonly #statements: readonly (readonly [
    pattern: string,
    does: (parts: readonly string[], packet: Travelling) => boolean | Travelling | readonly Step[],
  ])[] = [
    // Every packet here is the first of its connection, and nobody has been here before.
    ["ct state new|update @\\S+ \\{ ip6? saddr \\}|fully-random", () => true],
    ["mark and (0x[0-9a-f]+) != 0", ([bits], { mark }) => (mark & Number(bits)) !== 0],
    ["mark set mark or (0x[0-9a-f]+)", ([bits], packet) => ({ ...packet, mark: packet.mark | Number(bits) })],
    ["mark set mark xor (0x[0-9a-f]+)", ([bits], packet) => ({ ...packet, mark: packet.mark ^ Number(bits) })],
    ["ct status dnat", (_, packet) => packet.translated],
    ["fib (saddr|daddr) type local", ([which = ""], packet) => this.#node.local.includes(addressOf(which, packet))],
    ["meta l4proto (tcp|udp|sctp)", ([protocol], packet) => packet.protocol === protocol],
    [
      `(${KEYS}(?: \\. ${KEYS})*) vmap @(\\S+)`,
      ([keys = "", map = ""], packet) => {
        const verdict = this.#container(map).elements.get(keyOf(keys, packet));
        return verdict === undefined ? false : this.#verdict(verdict, packet);
      },
    ],
    [
      `(${KEYS}(?: \\. ${KEYS})*) @(\\S+)`,
      ([keys = "", set = ""], packet) => this.#container(set).elements.has(keyOf(keys, packet)),
    ],
    [
      "ip6? (saddr|daddr) (!= )?(\\{ [^}]* \\}|[0-9a-f.:/]+)",
      ([which = "", not = "", networks = ""], packet) => {
        const list = networks.replaceAll(/[{}]/g, "").split(",");
        return list.some((network) => lies(addressOf(which, packet), network.trim())) === (not === "");
      },
    ],
    [
      "numgen random mod (\\d+) vmap \\{ (.*) \\}",
      ([count, choices = ""], packet) => entries(choices, Number(count)).flatMap((verdict) => this.#verdict(verdict, packet)),
    ],
    [
      "dnat ip6? to numgen random mod (\\d+) map \\{ (.*) \\}",
      ([count, choices = ""], packet) => entries(choices, Number(count)).map((target) => translated(packet, target.split(" . "))),
    ],
    ["dnat to \\[?([0-9a-f.:]+?)\\]?:(\\d+)", (target, packet) => [translated(packet, target)]],
    ["masquerade", (_, packet) => [{ packet, verdict: "masquerade" }]],
  ];

  #verdict(text: string, packet: Travelling): readonly Step[] {
    const [, how, target = ""] = /^(goto|jump) (\S+)$/.exec(text) ?? [];
    if (how === "goto") {
      // Behind it the walk does not come back to this chain, but to where that was jumped to from.
      return this.#walk(target, packet).map((step) => (step.verdict === "next" ? { ...step, verdict: "return" } : step));
    }
    if (how === "jump")
      return this.#walk(target, packet).map((step) => (step.verdict === "return" ? { ...step, verdict: "next" } : step));
    if (text === "drop" || text === "reject") return [{ packet, verdict: text }];
    throw new Error(`unknown statement: ${text}`);
  }
}

const expressions = new Map<string, RegExp>();

function compiled(pattern: string): RegExp {
  const known = expressions.get(pattern) ?? new RegExp(`^(?:${pattern})(?: |$)`);
  expressions.set(pattern, known);
  return known;
}

function addressOf(which: string, packet: Travelling): string {
  return which === "saddr" ? packet.source : packet.destination;
}

function translated(packet: Travelling, [address = "", port = ""]: readonly string[]): Step {
  return { packet: { ...packet, destination: address, port: Number(port), translated: true }, verdict: "end" };
}

/** Every number below the modulus has its choice, or packets would fall through. */
function entries(text: string, count: number): readonly string[] {
  const choices = text.split(", ").map((entry) => entry.split(" : "));
  if (choices.length !== count || choices.some(([n], i) => Number(n) !== i)) throw new Error(`choices of ${count}: ${text}`);
  return choices.map(([, choice = ""]) => choice);
}

function keyOf(fields: string, packet: Travelling): string {
  const values: Readonly<Record<string, string>> = {
    saddr: packet.source,
    daddr: packet.destination,
    l4proto: packet.protocol,
    dport: `${packet.port}`,
  };
  return fields
    .split(" . ")
    .map((field) => values[field.split(" ")[1] ?? ""] ?? "")
    .join(" . ");
}

function lies(address: string, network: string): boolean {
  const [base = "", length] = network.split("/");
  const [family, bits] = base.includes(":") ? (["ipv6", 128] as const) : (["ipv4", 32] as const);
  if (address.includes(":") !== base.includes(":")) return false;
  const list = new BlockList();
  list.addSubnet(base, Number(length ?? bits), family);
  return list.check(address, family);
}
