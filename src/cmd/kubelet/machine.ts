import { lookup } from "node:dns/promises";
import { readdir, readFile, statfs } from "node:fs/promises";
import { arch, cpus, networkInterfaces, release } from "node:os";
import type { Machine, MachineInfo } from "#kubelet/nodestatus/machine.ts";
import { type MachineFiles, machineInfo } from "#kubelet/nodestatus/machine-files.ts";
import { defaultInterface } from "#kubelet/nodestatus/routes.ts";

/** Go's names of architectures. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386" };
const ROUTES = { 4: "/proc/net/route", 6: "/proc/net/ipv6_route" } as const;

/** The kernel's files; what is not there is empty. */
export const machineFiles: MachineFiles = {
  read: (path) => readFile(path, "utf8").catch(() => ""),
  list: (path) => readdir(path).catch(() => []),
};

/** The machine that this process runs on: Linux, by what its kernel tells in `/proc` and `/sys`. */
export const hostMachine: Machine = {
  async info(): Promise<MachineInfo> {
    const architecture = ARCHITECTURES[arch()] ?? arch();
    return machineInfo(machineFiles, { cpus: cpus().length, architecture, kernelVersion: release() });
  },
  async fileSystem(path) {
    const { bsize, blocks, bavail, bfree, files: inodes, ffree } = await statfs(path);
    return { capacityBytes: blocks * bsize, availableBytes: bavail * bsize, freeBytes: bfree * bsize, inodes, inodesFree: ffree };
  },
  addresses: () => allAddresses().map(({ address }) => address),
  async lookup(name) {
    try {
      return (await lookup(name, { all: true, verbatim: true })).map(({ address }) => address);
    } catch {
      return [];
    }
  },
  async defaultAddress(family) {
    const name = defaultInterface(await machineFiles.read(ROUTES[family]), family);
    return allAddresses().find((one) => one.name === name && one.family === family && !one.isLocal)?.address;
  },
};

interface OwnAddress {
  readonly name: string;
  readonly address: string;
  readonly family: 4 | 6;
  /** Of a loopback, or of one link only. */
  readonly isLocal: boolean;
}

function allAddresses(): readonly OwnAddress[] {
  return Object.entries(networkInterfaces()).flatMap(([name, all = []]) =>
    all.map(({ address, family, internal }) => ({
      name,
      address,
      family: family === "IPv4" ? 4 : 6,
      isLocal: internal || /^(fe80:|169\.254\.)/i.test(address),
    })),
  );
}
