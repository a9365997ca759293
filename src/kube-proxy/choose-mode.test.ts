import { expect, test } from "vitest";
import { silentLogger } from "#component-base/logging.ts";
import { chooseMode } from "./choose-mode.ts";
import { cleanUp } from "./clean-up.ts";
import { DEFAULT_CONFIGURATION, type ProxyMode } from "./configuration/proxy-configuration.ts";
import type { ProxyHost } from "./host.ts";

/** A machine that has these programs; others are not there. */
const hostWith = (programs: Readonly<Record<string, number>>, ran: string[] = []): ProxyHost =>
  ({
    run: async (program: string, args: readonly string[]) => {
      ran.push([program, ...args].join(" "));
      const code = programs[program] ?? 127;
      return { code, stdout: "", stderr: code === 0 ? "" : `${program}: Operation not permitted\nmore` };
    },
  }) as unknown as ProxyHost;
const chosen = (mode: ProxyMode | "", programs: Readonly<Record<string, number>>): ReturnType<typeof chooseMode> =>
  chooseMode(hostWith(programs), { ...DEFAULT_CONFIGURATION, mode });

test.each([
  ["", { iptables: 0, ip6tables: 0, nft: 0 }, { mode: "iptables", families: ["IPv4", "IPv6"] }],
  ["", { nft: 0 }, { mode: "nftables", families: ["IPv4", "IPv6"] }],
  ["nftables", { iptables: 0, ip6tables: 0, nft: 0 }, { mode: "nftables", families: ["IPv4", "IPv6"] }],
  ["iptables", { iptables: 0, ip6tables: 3 }, { mode: "iptables", families: ["IPv4"] }],
] as const)("mode %j with %j is %j", async (mode, programs, want) => {
  expect(await chosen(mode, programs)).toEqual(want);
});

test.each([
  ["iptables", { nft: 0 }, "iptables: there is no program iptables; install the package iptables, and conntrack beside it"],
  ["nftables", { nft: 1 }, "nftables: nft: Operation not permitted"],
  [
    "",
    {},
    "iptables: there is no program iptables; install the package iptables, and conntrack beside it; nftables: there is no program nft",
  ],
] as const)("mode %j with %j cannot be", async (mode, programs, why) => {
  await expect(chosen(mode, programs)).rejects.toThrow(why);
});

test("what is not installed cannot have left anything, and what cannot be removed is told", async () => {
  const ran: string[] = [];
  expect(await cleanUp(hostWith({}, ran), ["iptables", "nftables"], silentLogger)).toBe(true);
  expect(ran.filter((line) => !line.endsWith("--version"))).toEqual([]);
  const host = hostWith({ iptables: 0, "iptables-save": 0, "ip6tables-save": 4 });
  expect(await cleanUp(host, ["iptables"], silentLogger)).toBe(false);
});
