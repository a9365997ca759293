import { expect, test } from "vitest";
import { silentLogger } from "#component-base/logging.ts";
import { DEFAULT_CONFIGURATION, forMode } from "../configuration/proxy-configuration.ts";
import type { ProxyHost } from "../host.ts";
import { applyKernelSettings, conntrackSettings } from "./kernel-settings.ts";

const NF = "net/netfilter/nf_conntrack_";
const { conntrack } = DEFAULT_CONFIGURATION;

test.each([
  { name: "so many for each processor", with: { maxPerCore: 100_000 }, processors: 4, max: "400000" },
  { name: "but not less than the least", with: {}, processors: 1, max: "131072" },
  { name: "the kernel's where nobody asks", with: { maxPerCore: 0 }, processors: 64, max: undefined },
])("connections: $name", ({ with: changed, processors, max }) => {
  expect(new Map(conntrackSettings({ ...conntrack, ...changed }, processors)).get(`${NF}max`)).toBe(max);
});

test("times are set in whole seconds, and left alone where they are zero", () => {
  expect(conntrackSettings({ ...conntrack, maxPerCore: 0, udpTimeoutMs: 10_500, tcpBeLiberal: true }, 1)).toEqual([
    [`${NF}tcp_timeout_established`, "86400"],
    [`${NF}tcp_timeout_close_wait`, "3600"],
    [`${NF}tcp_be_liberal`, "1"],
    [`${NF}udp_timeout`, "10"],
  ]);
});

async function applied(mode: "iptables" | "nftables", settings: Record<string, string>, readOnly: readonly string[] = []) {
  const written: string[] = [];
  const host = {
    processors: 2,
    readSetting: async (path: string) => settings[path],
    writeSetting: async (path: string, value: string) => {
      if (readOnly.includes(path)) throw new Error("read-only file system");
      written.push(`${path}=${value}`);
    },
    readModuleParameter: async () => "1000\n",
    writeModuleParameter: async (path: string, value: string) => void written.push(`${path}=${value}`),
  } as unknown as ProxyHost;
  await applyKernelSettings(host, forMode(DEFAULT_CONFIGURATION, mode), silentLogger);
  return written;
}

test("what is there already is not written, a larger limit stays, and what is not there is left", async () => {
  expect(await applied("nftables", { [`${NF}max`]: "262144", [`${NF}tcp_timeout_established`]: "86400\n" })).toEqual([]);
  expect(await applied("nftables", { [`${NF}max`]: "65536" })).toEqual([
    `${NF}max=131072`,
    "nf_conntrack/parameters/hashsize=32768",
  ]);
});

test("what may not be written does not keep the rest from being written", async () => {
  const settings = { [`${NF}max`]: "1", "net/ipv4/conf/all/route_localnet": "0" };
  expect(await applied("iptables", settings, [`${NF}max`])).toContain("net/ipv4/conf/all/route_localnet=1");
  expect((await applied("nftables", settings)).filter((line) => line.includes("localnet"))).toEqual([]);
});
