import { isWithin, labelsOf } from "../wire/dns-name.ts";

/** What a name of the cluster's zone stands for. Texts are in lower case. */
export type ZoneName =
  /** The zone itself, or `svc` or `pod` below it: there, but without records of its own. */
  | { readonly kind: "apex" }
  | { readonly kind: "version" }
  | { readonly kind: "name-server" }
  | { readonly kind: "namespace"; readonly namespace: string }
  | {
      readonly kind: "service";
      readonly namespace: string;
      readonly service: string;
      readonly endpoint?: string;
      readonly port?: string;
      readonly protocol?: string;
    }
  | { readonly kind: "pod"; readonly namespace: string; readonly pod: string }
  | { readonly kind: "none" };

const NONE: ZoneName = { kind: "none" };

/** Takes a name of the zone apart, as CoreDNS: underscores before a port and its protocol are not asked for. */
export function parseZoneName(name: string, zone: string): ZoneName {
  if (!isWithin(name, zone)) return NONE;
  if (name === zone) return { kind: "apex" };
  const labels = labelsOf(name.slice(0, name.length - zone.length - 1)) ?? [];
  const kind = labels.at(-1);
  if (labels.length === 1 && kind === "dns-version") return { kind: "version" };
  if (labels.length === 2 && kind === "dns" && labels[0] === "ns") return { kind: "name-server" };
  if (kind !== "svc" && kind !== "pod") return NONE;
  const [namespace, service, second, first] = labels.slice(0, -1).toReversed();
  if (namespace === undefined) return { kind: "apex" };
  if (service === undefined) return { kind: "namespace", namespace };
  if (labels.length > 5) return NONE;
  if (kind === "pod") return second === undefined ? { kind: "pod", namespace, pod: service } : NONE;
  const of = { kind: "service", namespace, service } as const;
  if (second === undefined) return of;
  if (first === undefined) return { ...of, endpoint: second };
  return { ...of, port: first.replace(/^_/, ""), protocol: second.replace(/^_/, "") };
}
