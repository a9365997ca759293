import { RCODE, TYPE } from "../wire/dns-codes.ts";
import { isWithin } from "../wire/dns-name.ts";
import type { DnsRecord } from "../wire/dns-record.ts";
import { ipBytes, reverseIpKey } from "../wire/ip-bytes.ts";
import type { Question } from "../wire/read-query.ts";
import { parseZoneName, type ZoneName } from "./zone-name.ts";
import type { EndpointFacts, NamedPort, ZoneRecords } from "./zone-records.ts";

/** The version of Kubernetes' DNS specification that is kept to. */
export const DNS_SCHEMA_VERSION = "1.1.0";
/** How long answers of the zone may be kept, in seconds. */
export const ZONE_TTL = 5;
/** How long that of the schema's version, in seconds. */
const VERSION_TTL = 28_800;
/** How many other names in the zone lead to an answer, at most. */
const ALIASES_MAX = 8;

/** Whose addresses stand behind names of pods: any that is written as one, those of pods that are there, or none. */
export type PodMode = "insecure" | "verified" | "disabled";

/** What answers depend on beside the records. */
export interface ZoneSettings {
  /** In lower case, without the last dot. */
  readonly zone: string;
  readonly pods: PodMode;
  /** Of this server, for NS records. */
  readonly nameServers: () => readonly Buffer[];
}

/** What a question comes to. */
export type ZoneAnswer =
  | {
      readonly kind: "answer";
      readonly rcode: number;
      readonly answers: readonly DnsRecord[];
      readonly authorities: readonly DnsRecord[];
      readonly additionals: readonly DnsRecord[];
    }
  /** A name elsewhere, which others know about: `answers` lead to it. */
  | { readonly kind: "alias"; readonly answers: readonly DnsRecord[]; readonly target: string }
  /** Nothing that this zone knows about. */
  | { readonly kind: "elsewhere" };

type Facts = { readonly settings: ZoneSettings; readonly records: ZoneRecords };

/** Answers a question of class IN from what is known of the cluster. Types that stand for several, or for whole zones, are not for here. */
export function answer(question: Question, records: ZoneRecords, settings: ZoneSettings): ZoneAnswer {
  const facts = { settings, records };
  if (isWithin(question.name, settings.zone)) return zoneAnswer(question, facts);
  return reverseAnswer(question, facts) ?? { kind: "elsewhere" };
}

/** Whether a question is one for {@link answer} alone. */
export function isZoneQuestion({ name }: Question, zone: string): boolean {
  return isWithin(name, zone);
}

function zoneAnswer(question: Question, facts: Facts): ZoneAnswer {
  const chain: DnsRecord[] = [];
  let { name } = question;
  for (let hops = 0; hops <= ALIASES_MAX; hops++) {
    const found = lookUp(parseZoneName(name, facts.settings.zone), name, question.type, facts);
    if (found === "no name") return chain.length === 0 ? absent(RCODE.NXDOMAIN, facts) : absent(RCODE.NOERROR, facts);
    if (found.target === undefined) {
      if (found.answers.length === 0) return absent(RCODE.NOERROR, facts);
      const answers = [...chain, ...found.answers];
      return { kind: "answer", rcode: RCODE.NOERROR, answers, authorities: [], additionals: found.additionals };
    }
    if (found.target === name) return absent(RCODE.NOERROR, facts);
    chain.push({ name, ttl: ZONE_TTL, type: "CNAME", target: found.target });
    if (question.type === TYPE.CNAME) {
      return { kind: "answer", rcode: RCODE.NOERROR, answers: chain, authorities: [], additionals: [] };
    }
    if (!isWithin(found.target, facts.settings.zone)) return { kind: "alias", answers: chain, target: found.target };
    name = found.target;
  }
  return absent(RCODE.NOERROR, facts);
}

interface Found {
  readonly answers: readonly DnsRecord[];
  readonly additionals: readonly DnsRecord[];
  /** It is another name for this one. */
  readonly target?: string;
}

const NO_DATA: Found = { answers: [], additionals: [] };

function lookUp(parsed: ZoneName, name: string, type: number, facts: Facts): Found | "no name" {
  const { settings, records } = facts;
  switch (parsed.kind) {
    case "none":
      return "no name";
    case "apex":
      return name === settings.zone ? apex(type, facts) : NO_DATA;
    case "version":
      if (type !== TYPE.TXT) return NO_DATA;
      return { answers: [{ name, ttl: VERSION_TTL, type: "TXT", text: DNS_SCHEMA_VERSION }], additionals: [] };
    case "name-server":
      return { answers: addressRecords(name, settings.nameServers(), type), additionals: [] };
    case "namespace":
      return records.hasNamespace(parsed.namespace) ? NO_DATA : "no name";
    case "pod":
      return podAnswer(parsed, name, type, facts);
    case "service":
      return serviceAnswer(parsed, name, type, facts);
  }
}

function apex(type: number, facts: Facts): Found {
  const { zone, nameServers } = facts.settings;
  if (type === TYPE.SOA) return { answers: [soa(facts)], additionals: [] };
  const addresses = nameServers();
  if (type !== TYPE.NS || addresses.length === 0) return NO_DATA;
  const target = `ns.dns.${zone}`;
  const additionals = [...addressRecords(target, addresses, TYPE.A), ...addressRecords(target, addresses, TYPE.AAAA)];
  return { answers: [{ name: zone, ttl: ZONE_TTL, type: "NS", target }], additionals };
}

function podAnswer(
  { namespace, pod }: Extract<ZoneName, { kind: "pod" }>,
  name: string,
  type: number,
  { settings, records }: Facts,
): Found | "no name" {
  if (settings.pods === "disabled" || !records.hasNamespace(namespace)) return "no name";
  const isFour = pod.split("-").length === 4 && !pod.includes("--");
  const address = ipBytes(pod.replaceAll("-", isFour ? "." : ":"));
  if (address === undefined) return "no name";
  if (settings.pods === "verified" && !records.hasPodAt(namespace, address.toString("hex"))) return "no name";
  return { answers: addressRecords(name, [address], type), additionals: [] };
}

/** An address and a port behind a name, and the name that the address has of itself. */
interface Target {
  readonly address: Buffer;
  readonly port: number | undefined;
  readonly name: string;
}

function serviceAnswer(
  parsed: Extract<ZoneName, { kind: "service" }>,
  name: string,
  type: number,
  { settings, records }: Facts,
): Found | "no name" {
  const { namespace, endpoint } = parsed;
  const service = records.hasNamespace(namespace) ? records.service(namespace, parsed.service) : undefined;
  if (service === undefined) return "no name";
  const own = `${service.name}.${service.namespace}.svc.${settings.zone}`;
  if (service.externalName !== "") {
    if (endpoint !== undefined || ipBytes(service.externalName) !== undefined) return "no name";
    return type === TYPE.SRV ? NO_DATA : { ...NO_DATA, target: service.externalName };
  }
  const found =
    service.isHeadless || endpoint !== undefined
      ? endpointTargets(records.endpoints(namespace, service.name, endpoint), parsed, own)
      : targetsOf(service.addresses, service.ports, parsed, own);
  if (found.length === 0) return "no name";
  if (type === TYPE.SRV) return srvAnswer(name, found);
  return {
    answers: addressRecords(
      name,
      found.map(({ address }) => address),
      type,
    ),
    additionals: [],
  };
}

function endpointTargets(endpoints: Iterable<EndpointFacts>, asked: Asked, own: string): Target[] {
  const targets: Target[] = [];
  for (const { address, hostname, ports } of endpoints) targets.push(...targetsOf([address], ports, asked, `${hostname}.${own}`));
  return targets;
}

type Asked = { readonly port?: string; readonly protocol?: string };

function targetsOf(addresses: readonly Buffer[], ports: readonly NamedPort[], asked: Asked, name: string): Target[] {
  const { port, protocol } = asked;
  // Without ports there is an address still.
  if (ports.length === 0 && port === undefined) return addresses.map((address) => ({ address, port: undefined, name }));
  return ports
    .filter((one) => port === undefined || (one.name === port && one.protocol === protocol))
    .flatMap((one) => addresses.map((address) => ({ address, port: one.port, name })));
}

function srvAnswer(name: string, targets: readonly Target[]): Found {
  const withPorts = targets.flatMap(({ port, ...target }) => (port === undefined ? [] : [{ ...target, port }]));
  const weight = Math.max(1, Math.floor(100 / Math.max(1, withPorts.length)));
  const answers = new Map<string, DnsRecord>();
  const additionals = new Map<string, DnsRecord>();
  for (const { address, port, name: target } of withPorts) {
    answers.set(`${target} ${port}`, { name, ttl: ZONE_TTL, type: "SRV", priority: 0, weight, port, target });
    const type = address.length === 4 ? "A" : "AAAA";
    additionals.set(`${target} ${address.toString("hex")}`, { name: target, ttl: ZONE_TTL, type, address });
  }
  return { answers: [...answers.values()], additionals: [...additionals.values()] };
}

function addressRecords(name: string, addresses: readonly Buffer[], type: number): DnsRecord[] {
  if (type !== TYPE.A && type !== TYPE.AAAA) return [];
  const length = type === TYPE.A ? 4 : 16;
  const fitting = addresses.filter((address) => address.length === length);
  const unique = fitting.length < 2 ? fitting : new Map(fitting.map((address) => [address.toString("hex"), address])).values();
  return Array.from(unique, (address) => ({ name, ttl: ZONE_TTL, type: type === TYPE.A ? "A" : "AAAA", address }));
}

function reverseAnswer({ name, type }: Question, { settings, records }: Facts): ZoneAnswer | undefined {
  const key = reverseIpKey(name);
  if (key === undefined || type !== TYPE.PTR) return undefined;
  const zone = `svc.${settings.zone}`;
  const service = records.serviceAt(key);
  const targets = new Set<string>();
  if (service !== undefined) targets.add(`${service.name}.${service.namespace}.${zone}`);
  else {
    for (const { hostname, service: of } of records.endpointsAt(key))
      targets.add(`${hostname}.${of.name}.${of.namespace}.${zone}`);
  }
  if (targets.size === 0) return undefined;
  const answers = Array.from(targets, (target): DnsRecord => ({ name, ttl: ZONE_TTL, type: "PTR", target }));
  return { kind: "answer", rcode: RCODE.NOERROR, answers, authorities: [], additionals: [] };
}

/** Nothing of that type, or no such name; the SOA record says how long that may be remembered (RFC 2308). */
function absent(rcode: number, facts: Facts): ZoneAnswer {
  return { kind: "answer", rcode, answers: [], authorities: [soa(facts)], additionals: [] };
}

function soa({ settings: { zone }, records }: Facts): DnsRecord {
  return {
    name: zone,
    ttl: ZONE_TTL,
    type: "SOA",
    primary: `ns.dns.${zone}`,
    mailbox: `hostmaster.${zone}`,
    serial: records.serial,
    negativeTtl: ZONE_TTL,
  };
}
