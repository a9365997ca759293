import { describe, expect, test } from "vitest";
import type { IPAddress, ServiceCIDR } from "#api/generated/networking/v1.ts";
import { containing, needsOnly, networksAround, overlapping } from "./networks.ts";
import { reconcile, SERVICE_CIDR_FINALIZER } from "./reconcile.ts";

const NOW = Date.UTC(2026, 0, 1);
const ago = (ms: number): string => new Date(NOW - ms).toISOString();
const finalizers = [SERVICE_CIDR_FINALIZER];
const of = (name: string, cidrs: readonly string[], metadata: object = { finalizers }): ServiceCIDR =>
  ({ metadata: { name, ...metadata }, spec: { cidrs } }) as ServiceCIDR;
const address = (name: string): IPAddress => ({ metadata: { name } }) as IPAddress;
const ready = { type: "Ready", status: "True", reason: "", message: "Kubernetes Service CIDR is ready" };

const decide = (serviceCidr: ServiceCIDR, others: readonly ServiceCIDR[] = [], addresses: readonly string[] = []) =>
  reconcile({
    serviceCidr,
    isNeeded: addresses.some((ip) => needsOnly(address(ip), networksAround(serviceCidr, [serviceCidr, ...others]))),
    nowMs: NOW,
  });

test("one that is new is kept, and ready", () => {
  expect(decide(of("a", ["10.0.0.0/24"], {}))).toEqual([
    { type: "protect" },
    { type: "tell", condition: { ...ready, lastTransitionTime: "2026-01-01T00:00:00Z" } },
  ]);
});

test("one of which all is said is left alone; its time moves only with its status", () => {
  const told = { ...of("a", ["10.0.0.0/24"]), status: { conditions: [{ ...ready, lastTransitionTime: ago(5000) }] } };
  expect(decide(told as ServiceCIDR)).toEqual([]);
  const other = { ...told, status: { conditions: [{ ...ready, message: "other", lastTransitionTime: ago(5000) }] } };
  expect(decide(other as ServiceCIDR)).toMatchObject([{ type: "tell", condition: { ...ready, lastTransitionTime: ago(5000) } }]);
});

describe("one that is to go", () => {
  const going = (cidrs: readonly string[], sinceMs = 60_000): ServiceCIDR =>
    of("a", cidrs, { finalizers, deletionTimestamp: ago(sinceMs) });
  test.each<[string, ServiceCIDR, ServiceCIDR[], string[], string]>([
    ["stays while a Service has an address of it", going(["10.0.0.0/24"]), [], ["10.0.0.7"], "tell"],
    ["of either family", going(["10.0.0.0/24", "fd00::/112"]), [], ["fd00::7"], "tell"],
    ["goes without", going(["10.0.0.0/24"]), [], ["10.1.0.7", "fd00::7"], "letGo"],
    ["goes when another has the address too", going(["10.0.0.0/24"]), [of("b", ["10.0.0.0/28"])], ["10.0.0.7"], "letGo"],
    ["not when that has it not", going(["10.0.0.0/24"]), [of("b", ["10.0.0.0/28"])], ["10.0.0.77"], "tell"],
    ["goes when another contains it", going(["10.0.0.0/24"]), [of("b", ["10.0.0.0/16"])], ["10.0.0.7"], "letGo"],
    [
      "not when that contains one of its two",
      going(["10.0.0.0/24", "fd00::/112"]),
      [of("b", ["10.0.0.0/16"])],
      ["fd00::7"],
      "tell",
    ],
    ["has a while left for API servers to hear of it", going(["10.0.0.0/24"], 4000), [], [], "requeue"],
  ])("%s", (_, serviceCidr, others, addresses, want) => {
    expect(decide(serviceCidr, others, addresses).map(({ type }) => type)).toEqual([want]);
  });

  test("says why it stays", () => {
    expect(decide(going(["10.0.0.0/24"]), [], ["10.0.0.7"])).toMatchObject([
      { condition: { type: "Ready", status: "False", reason: "Terminating" } },
    ]);
  });

  test("is no business of the controller without its finalizer", () => {
    expect(decide(of("a", ["10.0.0.0/24"], { finalizers: ["other"], deletionTimestamp: ago(1) }))).toEqual([]);
  });
});

test("those that share addresses, and those that have one", () => {
  const all = [of("a", ["10.0.0.0/16"]), of("b", ["10.0.7.0/24", "fd00::/112"]), of("c", ["10.1.0.0/24"])];
  expect(overlapping(of("b", ["10.0.7.0/24", "fd00::/112"]), all)).toEqual(["a", "b"]);
  expect(overlapping(of("d", ["10.0.0.0/8"]), all)).toEqual(["a", "b", "c"]);
  expect(containing(address("10.0.7.9"), all)).toEqual(["a", "b"]);
  expect(containing(address("fd00::9"), all)).toEqual(["b"]);
});
