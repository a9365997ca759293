import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { realHostFiles } from "#base/host-files.ts";
import { bridgeName } from "./bridge-network.ts";
import { readConfigurations } from "./configuration-folder.ts";
import { removeNodeNetwork, writeNodeNetwork } from "./node-network.ts";

const OPTIONS = { podCidrs: ["10.244.3.0/24", "fd00:3::/64"], bridge: "kyb0", masquerade: true };

let dir: string;
let folder: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "kybern-cni-"));
  folder = join(dir, "net.d");
});
afterEach(() => rm(dir, { recursive: true }));

test("a network is written once, anew for another range, and taken back", async () => {
  expect(await writeNodeNetwork(realHostFiles, OPTIONS, folder)).toEqual({ outcome: "written" });
  expect(await writeNodeNetwork(realHostFiles, OPTIONS, folder)).toEqual({ outcome: "unchanged" });
  const found = await readConfigurations(realHostFiles, folder);
  expect(found).toEqual([
    {
      file: "10-kybern.conflist",
      network: {
        cniVersion: "1.0.0",
        name: "kybern",
        plugins: [
          {
            type: "bridge",
            bridge: "kyb0",
            isGateway: true,
            forceAddress: true,
            ipMasq: true,
            hairpinMode: true,
            ipam: {
              type: "host-local",
              ranges: [[{ subnet: "10.244.3.0/24" }], [{ subnet: "fd00:3::/64" }]],
              routes: [{ dst: "0.0.0.0/0" }, { dst: "::/0" }],
              dataDir: "/run/kybern/cni/kyb0",
            },
          },
          { type: "portmap", capabilities: { portMappings: true }, snat: true },
        ],
      },
    },
    {
      file: "99-loopback.conf",
      network: { cniVersion: "1.0.0", name: "lo", plugins: [{ cniVersion: "1.0.0", name: "lo", type: "loopback" }] },
    },
  ]);
  const other = { ...OPTIONS, podCidrs: ["10.244.9.0/24"], mtu: 1450, masquerade: false };
  expect(await writeNodeNetwork(realHostFiles, other, folder)).toEqual({ outcome: "written" });
  const text = await readFile(join(folder, "10-kybern.conflist"), "utf8");
  expect(JSON.parse(text).plugins[0]).toMatchObject({
    mtu: 1450,
    ipMasq: false,
    ipam: { ranges: [[{ subnet: "10.244.9.0/24" }]] },
  });
  await removeNodeNetwork(realHostFiles, folder);
  expect(await readdir(folder)).toEqual([]);
});

test("somebody else's network is left alone; a broken file is none", async () => {
  await writeNodeNetwork(realHostFiles, OPTIONS, folder);
  await removeNodeNetwork(realHostFiles, folder);
  await writeFile(join(folder, "05-broken.conflist"), "{");
  expect(await writeNodeNetwork(realHostFiles, OPTIONS, folder)).toEqual({ outcome: "written" });
  expect((await readConfigurations(realHostFiles, folder))[0]).toMatchObject({ error: expect.stringContaining("is not JSON") });
  await removeNodeNetwork(realHostFiles, folder);
  await writeFile(join(folder, "10-flannel.conflist"), '{"name":"cbr0","plugins":[{"type":"flannel"}]}');
  expect(await writeNodeNetwork(realHostFiles, OPTIONS, folder)).toEqual({ outcome: "foreign", file: "10-flannel.conflist" });
  expect(await readdir(folder)).toEqual(["05-broken.conflist", "10-flannel.conflist"]);
});

test("bridges of several nodes have names of their own, that the kernel takes", () => {
  expect(bridgeName("node-1")).toMatch(/^kyb[0-9a-f]{12}$/);
  expect(bridgeName("node-2")).not.toBe(bridgeName("node-1"));
});
