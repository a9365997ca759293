import { expect, test } from "vitest";
import type { Node } from "#api/generated/core/v1.ts";
import { realClock } from "#base/clock.ts";
import { KubeletClient, type KubeletClientOptions } from "./kubelet-client.ts";

const ADDRESSES = [
  { type: "InternalIP", address: "10.0.0.1" },
  { type: "ExternalIP", address: "1.2.3.4" },
  { type: "Hostname", address: "node-a" },
];

function node(port?: number, addresses = ADDRESSES): Node {
  const daemonEndpoints = port === undefined ? {} : { kubeletEndpoint: { Port: port } };
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name: "node-a" },
    spec: {},
    status: { addresses, daemonEndpoints },
  } as Node;
}

const cases: [string, KubeletClientOptions, Node, object][] = [
  ["the name, before addresses", {}, node(), { scheme: "https", host: "node-a", port: 10250 }],
  ["the port that the node names", {}, node(12345), { scheme: "https", host: "node-a", port: 12345 }],
  ["the port that flags name", { port: 4 }, node(), { scheme: "https", host: "node-a", port: 4 }],
  ["the first type that is wanted", { preferredAddressTypes: ["ExternalDNS", "ExternalIP"] }, node(), { host: "1.2.3.4" }],
  ["without encryption", { https: false, preferredAddressTypes: ["InternalIP"] }, node(), { scheme: "http", host: "10.0.0.1" }],
];

test.each(cases)("%s", (_name, options, of, want) => {
  expect(new KubeletClient(options, { clock: realClock }).connectionTo(of).to).toMatchObject(want);
});

test("a node without an address that is wanted cannot be reached", () => {
  const client = new KubeletClient({ preferredAddressTypes: ["InternalDNS"] }, { clock: realClock });
  const want = "no preferred addresses found; known addresses: [{InternalIP 10.0.0.1} {ExternalIP 1.2.3.4} {Hostname node-a}]";
  expect(() => client.connectionTo(node())).toThrow(want);
});
