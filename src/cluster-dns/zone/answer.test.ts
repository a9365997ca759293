import { beforeEach, expect, test } from "vitest";
import type { Pod, Service } from "#api/generated/core/v1.ts";
import type { EndpointSlice } from "#api/generated/discovery/v1.ts";
import { TYPE } from "../wire/dns-codes.ts";
import type { DnsRecord } from "../wire/dns-record.ts";
import { answer, type PodMode } from "./answer.ts";
import { ZoneRecords } from "./zone-records.ts";

const ZONE = "cluster.local";
let records: ZoneRecords;

function service(name: string, spec: Service["spec"], namespace = "default"): Service {
  return { apiVersion: "v1", kind: "Service", metadata: { name, namespace }, spec } as Service;
}

function slice(name: string, of: string, rest: Partial<EndpointSlice>, namespace = "default"): EndpointSlice {
  const metadata = { name, namespace, labels: { "kubernetes.io/service-name": of } };
  return { metadata, addressType: "IPv4", endpoints: [], ...rest } as EndpointSlice;
}

const HTTP = { name: "http", protocol: "TCP", port: 8080 };

beforeEach(() => {
  records = new ZoneRecords(1000);
  for (const name of ["default", "kube-system"]) records.setNamespace({ metadata: { name } } as never, true, 1000);
  const set = (one: Service): void => records.setService(one, true, 1000);
  set(
    service("kubernetes", {
      clusterIP: "10.96.0.1",
      clusterIPs: ["10.96.0.1", "fd00::1"],
      ports: [{ name: "https", port: 443, protocol: "TCP" }],
    }),
  );
  set(service("kube-dns", { clusterIP: "10.96.0.10", ports: [{ name: "dns", port: 53, protocol: "UDP" }] }, "kube-system"));
  set(service("headless", { clusterIP: "None", ports: [{ ...HTTP, port: 80 }] }));
  set(service("empty", { clusterIP: "None" }));
  set(service("portless", { clusterIP: "None" }));
  set(service("out", { type: "ExternalName", externalName: "WWW.example.com." }));
  set(service("in", { type: "ExternalName", externalName: "kubernetes.default.svc.cluster.local" }));
  set(service("round", { type: "ExternalName", externalName: "about.default.svc.cluster.local" }));
  set(service("about", { type: "ExternalName", externalName: "round.default.svc.cluster.local" }));
  set(service("nowhere", { type: "ExternalName", externalName: "gone.default.svc.cluster.local" }));
  set(service("address", { type: "ExternalName", externalName: "192.0.2.1" }));
  records.setSlice(
    slice("headless-1", "headless", {
      ports: [HTTP],
      endpoints: [
        { addresses: ["10.1.0.1"], hostname: "web-0", conditions: { ready: true } },
        { addresses: ["10.1.0.2"], conditions: {} },
        { addresses: ["10.1.0.3"], conditions: { ready: false } },
      ],
    }),
    true,
    1000,
  );
  records.setSlice(
    slice("headless-2", "headless", {
      addressType: "IPv6",
      ports: [HTTP],
      endpoints: [{ addresses: ["fd01::2"], hostname: "web-0" }],
    }),
    true,
    1000,
  );
  records.setSlice(slice("portless-1", "portless", { endpoints: [{ addresses: ["10.1.0.9"] }] }), true, 1000);
  records.setSlice(
    slice("kubernetes-1", "kubernetes", { ports: [HTTP], endpoints: [{ addresses: ["172.16.0.1"] }] }),
    true,
    1000,
  );
  records.setPod({ metadata: { name: "p", namespace: "default" }, status: { podIP: "10.1.0.1" } } as Pod, true);
});

function ask(name: string, type: keyof typeof TYPE, pods: PodMode = "insecure") {
  const settings = { zone: ZONE, pods, nameServers: () => [Buffer.of(10, 96, 0, 10)] };
  return answer({ name, type: TYPE[type], class: 1 }, records, settings);
}

function shown(record: DnsRecord): string {
  switch (record.type) {
    case "A":
      return `A ${[...record.address].join(".")}`;
    case "AAAA":
      return `AAAA ${record.address.toString("hex").replaceAll("00", "")}`;
    case "TXT":
      return `TXT ${record.text} ${record.ttl}`;
    case "SRV":
      return `SRV ${record.priority} ${record.weight} ${record.port} ${record.target}`;
    case "SOA":
      return `SOA ${record.name} ${record.ttl} ${record.primary} ${record.mailbox} ${record.serial} ${record.negativeTtl}`;
    default:
      return `${record.type} ${record.target}`;
  }
}

const SVC = "default.svc.cluster.local";

test.each([
  ["dns-version.cluster.local", "TXT", ["TXT 1.1.0 28800"]],
  [`kubernetes.${SVC}`, "A", ["A 10.96.0.1"]],
  [`kubernetes.${SVC}`, "AAAA", ["AAAA fd01"]],
  [`_https._tcp.kubernetes.${SVC}`, "SRV", [`SRV 0 50 443 kubernetes.${SVC}`]],
  [`kubernetes.${SVC}`, "SRV", [`SRV 0 50 443 kubernetes.${SVC}`]],
  [`172-16-0-1.kubernetes.${SVC}`, "A", ["A 172.16.0.1"]],
  [`headless.${SVC}`, "A", ["A 10.1.0.1", "A 10.1.0.2"]],
  [`headless.${SVC}`, "AAAA", ["AAAA fd0102"]],
  [`web-0.headless.${SVC}`, "A", ["A 10.1.0.1"]],
  [`web-0.headless.${SVC}`, "AAAA", ["AAAA fd0102"]],
  [`10-1-0-2.headless.${SVC}`, "A", ["A 10.1.0.2"]],
  [`_http._tcp.headless.${SVC}`, "SRV", [`SRV 0 33 8080 web-0.headless.${SVC}`, `SRV 0 33 8080 10-1-0-2.headless.${SVC}`]],
  [`portless.${SVC}`, "A", ["A 10.1.0.9"]],
  [`out.${SVC}`, "CNAME", ["CNAME www.example.com"]],
  [`in.${SVC}`, "A", [`CNAME kubernetes.${SVC}`, "A 10.96.0.1"]],
  ["1-2-3-4.default.pod.cluster.local", "A", ["A 1.2.3.4"]],
  ["fd00--7.default.pod.cluster.local", "AAAA", ["AAAA fd07"]],
  ["1.0.96.10.in-addr.arpa", "PTR", [`PTR kubernetes.${SVC}`]],
  ["1.0.1.10.in-addr.arpa", "PTR", [`PTR web-0.headless.${SVC}`]],
  ["2.0.1.10.in-addr.arpa", "PTR", [`PTR 10-1-0-2.headless.${SVC}`]],
  [`2${".0".repeat(27)}.1.0.d.f.ip6.arpa`, "PTR", [`PTR web-0.headless.${SVC}`]],
  ["cluster.local", "NS", ["NS ns.dns.cluster.local"]],
  ["cluster.local", "SOA", ["SOA cluster.local 5 ns.dns.cluster.local hostmaster.cluster.local 1000 5"]],
  ["ns.dns.cluster.local", "A", ["A 10.96.0.10"]],
] as const)("%s %s", (name, type, expected) => {
  const found = ask(name, type);
  if (found.kind !== "answer") throw new Error(found.kind);
  expect(found.answers.map(shown)).toEqual(expected);
  expect(found.rcode).toBe(0);
  expect(found.authorities).toEqual([]);
  expect(found.answers[0]?.name).toBe(name);
});

const SOA = ["SOA cluster.local 5 ns.dns.cluster.local hostmaster.cluster.local 1000 5"];

test.each([
  ["cluster.local", "A", 0],
  ["svc.cluster.local", "A", 0],
  ["pod.cluster.local", "A", 0],
  [SVC, "A", 0],
  ["default.pod.cluster.local", "A", 0],
  [`kubernetes.${SVC}`, "TXT", 0],
  [`kubernetes.${SVC}`, "MX", 0],
  ["dns-version.cluster.local", "A", 0],
  [`10-1-0-2.headless.${SVC}`, "AAAA", 0],
  [`out.${SVC}`, "SRV", 0],
  [`portless.${SVC}`, "SRV", 0],
  [`round.${SVC}`, "A", 0],
  [`nowhere.${SVC}`, "A", 0],
  ["1-2-3-4.default.pod.cluster.local", "AAAA", 0],
  ["other.cluster.local", "A", 3],
  ["gone.svc.cluster.local", "A", 3],
  ["gone.pod.cluster.local", "A", 3],
  [`gone.${SVC}`, "A", 3],
  ["kubernetes.gone.svc.cluster.local", "A", 3],
  [`empty.${SVC}`, "A", 3],
  [`address.${SVC}`, "A", 3],
  [`a.out.${SVC}`, "A", 3],
  [`10-1-0-3.headless.${SVC}`, "A", 3],
  [`_http._udp.headless.${SVC}`, "SRV", 3],
  [`_gone._tcp.kubernetes.${SVC}`, "SRV", 3],
  [`a.b.c.kubernetes.${SVC}`, "A", 3],
  [`kubernetes.${SVC}.cluster.local`, "A", 3],
  [`www.example.com.${SVC}`, "A", 3],
  ["no-address.default.pod.cluster.local", "A", 3],
  ["1-2-3-4.gone.pod.cluster.local", "A", 3],
  ["a.1-2-3-4.default.pod.cluster.local", "A", 3],
] as const)("%s %s is not there: %i", (name, type, rcode) => {
  const found = ask(name, type);
  if (found.kind !== "answer") throw new Error(found.kind);
  expect(found).toMatchObject({ rcode, answers: [], additionals: [] });
  expect(found.authorities.map(shown)).toEqual(SOA);
});

test("SRV records come with the addresses of what they name", () => {
  const found = ask(`_http._tcp.headless.${SVC}`, "SRV");
  expect(found.kind === "answer" && found.additionals.map((one) => `${one.name} ${shown(one)}`)).toEqual([
    `web-0.headless.${SVC} A 10.1.0.1`,
    `10-1-0-2.headless.${SVC} A 10.1.0.2`,
    `web-0.headless.${SVC} AAAA fd0102`,
  ]);
});

test.each(["A", "AAAA", "TXT"] as const)("an external name leads out of the zone for %s", (type) => {
  expect(ask(`out.${SVC}`, type)).toEqual({
    kind: "alias",
    target: "www.example.com",
    answers: [{ name: `out.${SVC}`, ttl: 5, type: "CNAME", target: "www.example.com" }],
  });
});

test.each([
  ["www.example.com", "A"],
  ["notcluster.local", "A"],
  ["9.9.9.9.in-addr.arpa", "PTR"],
  ["3.0.1.10.in-addr.arpa", "PTR"],
  ["1.0.96.10.in-addr.arpa", "TXT"],
] as const)("others know about %s %s", (name, type) => {
  expect(ask(name, type)).toEqual({ kind: "elsewhere" });
});

test.each([
  ["insecure", "10-9-9-9", 0],
  ["verified", "10-1-0-1", 0],
  ["verified", "10-9-9-9", 3],
  ["disabled", "10-1-0-1", 3],
] as const)("with pods %s the name %s is answered %i", (mode, pod, rcode) => {
  expect(ask(`${pod}.default.pod.cluster.local`, "A", mode)).toMatchObject({ kind: "answer", rcode });
  expect(ask(`${pod}.kube-system.pod.cluster.local`, "A", mode)).toMatchObject({ rcode: mode === "insecure" ? 0 : 3 });
});

test("changes are seen at once, and what goes leaves nothing behind", () => {
  const first = slice("headless-1", "headless", { ports: [HTTP], endpoints: [{ addresses: ["10.1.0.7"] }] });
  records.setSlice(first, true, 1005);
  const a = ask(`headless.${SVC}`, "A");
  expect(a.kind === "answer" && a.answers.map(shown)).toEqual(["A 10.1.0.7"]);
  expect(ask("1.0.1.10.in-addr.arpa", "PTR")).toEqual({ kind: "elsewhere" });
  records.setSlice(first, false, 1006);
  expect(ask(`headless.${SVC}`, "A")).toMatchObject({ rcode: 0, answers: [] });
  records.setService(service("kubernetes", { clusterIP: "10.96.0.2", ports: [] }), true, 1007);
  expect(ask("1.0.96.10.in-addr.arpa", "PTR")).toEqual({ kind: "elsewhere" });
  expect(ask("2.0.96.10.in-addr.arpa", "PTR")).toMatchObject({ kind: "answer" });
  records.setService(service("out", { type: "ExternalName", externalName: "other.example" }), true, 1008);
  expect(ask(`out.${SVC}`, "A")).toMatchObject({ target: "other.example" });
  records.setService(service("out", {}), false, 1008);
  expect(ask(`out.${SVC}`, "A")).toMatchObject({ rcode: 3 });
  records.setPod(
    { metadata: { name: "p", namespace: "default" }, status: { podIP: "10.1.0.1", phase: "Succeeded" } } as Pod,
    true,
  );
  expect(ask("10-1-0-1.default.pod.cluster.local", "A", "verified")).toMatchObject({ rcode: 3 });
  expect(records.serial).toBe(1008);
});
