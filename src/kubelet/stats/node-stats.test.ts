import { expect, test } from "vitest";
import { CpuRates } from "./cpu-rates.ts";
import { kernelStats } from "./node-stats.ts";

const FILES: Readonly<Record<string, string>> = {
  "/proc/stat": "cpu  100 20 30 4000 50 6 7 8 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n",
  "/proc/meminfo":
    "MemTotal: 1000 kB\nMemFree: 400 kB\nInactive(file): 100 kB\nAnonPages: 200 kB\nSwapTotal: 50 kB\nSwapFree: 30 kB\n",
  "/proc/vmstat": "pgfault 12\npgmajfault 3\n",
  "/proc/net/dev":
    "Inter-|   Receive |  Transmit\n face |bytes packets errs\n    lo: 9 0 0 0 0 0 0 0 9 0 0 0 0 0 0 0\n  eth0: 100 5 1 0 0 0 0 0 200 6 2 0 0 0 0 0\nveth1: 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1\n",
  "/proc/net/route":
    "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\neth0\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\n",
  "/proc/sys/kernel/pid_max": "32768\n",
  "/proc/loadavg": "0.1 0.2 0.3 2/345 6789\n",
};

test("what the kernel tells of the whole machine", async () => {
  const files = { read: async (path: string) => FILES[path] ?? "", list: async () => [] };
  expect(await kernelStats(files, 4)).toEqual({
    cpuNanoSeconds: 1_710_000_000,
    cpus: 4,
    memory: {
      capacityBytes: 1_024_000,
      usageBytes: 614_400,
      workingSetBytes: 512_000,
      rssBytes: 204_800,
      pageFaults: 12,
      majorPageFaults: 3,
    },
    swap: { usageBytes: 20_480, availableBytes: 30_720 },
    network: { defaultName: "eth0", interfaces: [{ name: "eth0", rxBytes: 100, rxErrors: 1, txBytes: 200, txErrors: 2 }] },
    processes: { max: 32_768, running: 345 },
  });
});

test("a rate is what passed since the last sample; too soon it is the one before, and what began anew has none", () => {
  const rates = new CpuRates();
  expect(rates.rate("a", 1_000_000, 1000)).toBeUndefined();
  expect(rates.rate("a", 501_000_000, 2000)).toBe(500_000_000);
  expect(rates.rate("a", 502_000_000, 2050)).toBe(500_000_000);
  expect(rates.rate("b", 7, 2050)).toBeUndefined();
  expect(rates.rate("a", 5, 4000)).toBeUndefined();
  expect(rates.rate("a", 1_000_005, 5000)).toBe(1_000_000);
});
