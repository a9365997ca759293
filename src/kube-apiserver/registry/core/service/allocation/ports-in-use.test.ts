import { expect, test } from "vitest";
import type { Service } from "#api/generated/core/v1.ts";
import type { ObjectChange, Stores } from "#apiserver/registry/resource-set.ts";
import { PortSet } from "./port-set.ts";
import { PortsInUse } from "./ports-in-use.ts";

type Change = ObjectChange<Service>;

const of = (key: string, ...nodePorts: number[]): Change => ({
  key,
  object: { metadata: { name: key }, spec: { type: "NodePort", ports: nodePorts.map((nodePort) => ({ port: 80, nodePort })) } },
});
const gone = (key: string): Change => ({ key, object: undefined });

test.each<[string, Change[][], number[]]>([
  ["of all Services at first", [[of("a", 30_001, 30_002), of("b", 30_003), of("c")]], [30_001, 30_002, 30_003]],
  ["those of what changes", [[of("a", 30_001, 30_002), of("b", 30_003)], [of("a", 30_002, 30_004)]], [30_002, 30_003, 30_004]],
  [
    "none of what is gone",
    [
      [of("a", 30_001), of("b", 30_003)],
      [gone("a"), gone("x")],
    ],
    [30_003],
  ],
  ["those that another has, too", [[of("a", 30_001), of("b", 30_001)], [gone("a")]], [30_001]],
  [
    "not those that no other has any more",
    [
      [of("a", 30_001), of("b", 30_001)],
      [gone("a"), gone("b")],
    ],
    [],
  ],
  ["each once for two protocols", [[of("a", 30_001, 30_001)], [of("a", 30_002)]], [30_002]],
])("%s", (_, rounds, want) => {
  const left = [...rounds];
  const inUse = new PortsInUse({ follow: () => () => left.shift() ?? [] } as unknown as Stores);
  for (const _round of rounds) inUse.now();
  expect(inUse.now().without(new PortSet())).toEqual(want);
});

test("a port for health checks counts", () => {
  const spec = { type: "LoadBalancer", externalTrafficPolicy: "Local", healthCheckNodePort: 30_009, ports: [{ port: 80 }] };
  const change = { key: "a", object: { metadata: { name: "a" }, spec } };
  expect(new PortsInUse({ follow: () => () => [change] } as unknown as Stores).now().has(30_009)).toBe(true);
});
