import { execFileSync, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CONTAINERD_REASON, containerdVersions } from "../support/containerd.ts";
import { hasTestHosts, TEST_HOST_REASON, TestHost, TestNetwork } from "../support/test-host.ts";

const script = fileURLToPath(new URL("../../scripts/install-node-deps", import.meta.url));

test("it says what it does, and what it does not know", () => {
  expect(execFileSync(script, ["--help"], { encoding: "utf8" })).toContain("Usage: install-node-deps [--check]");
  const wrong = spawnSync(script, ["--chek"], { encoding: "utf8" });
  expect([wrong.status, wrong.stderr]).toEqual([2, expect.stringContaining("unknown argument --chek")]);
});

describe.skipIf(!hasTestHosts || containerdVersions.length === 0)(
  `on a machine (${TEST_HOST_REASON}; ${CONTAINERD_REASON})`,
  () => {
    let network: TestNetwork;
    let host: TestHost;
    beforeAll(async () => {
      network = await TestNetwork.start("192.168.44.1/24");
      host = await TestHost.start(network, "fresh", "192.168.44.10");
    });
    afterAll(async () => {
      await host?.[Symbol.asyncDispose]();
      await network?.[Symbol.asyncDispose]();
    });

    test("what is missing is named", async () => {
      expect(await host.tryRun([script, "--check"])).toMatchObject({ code: 0, stdout: "Nothing is missing.\n" });
      await host.run(["sh", "-c", "rm -f $(command -v conntrack) && rm -rf /usr/lib/cni/* /opt/cni/*"]);
      const { code, stdout } = await host.tryRun([script, "--check"]);
      expect([code, stdout]).toEqual([1, "Missing: containernetworking-plugins conntrack\n"]);
      const nobody = await host.tryRun(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", script]);
      expect([nobody.code, nobody.stderr]).toEqual([1, "install-node-deps: run it as root\n"]);
    });

    test("where all is there the machine is prepared, as often as one likes", async () => {
      await host.reboot();
      await host.run([
        "sh",
        "-c",
        "mkdir -p /usr/lib/cni && touch /usr/lib/cni/bridge /usr/lib/cni/portmap && chmod 755 /usr/lib/cni/*",
      ]);
      await host.run([
        "sh",
        "-c",
        "printf '#!/bin/sh\\n' >/usr/sbin/conntrack && chmod 755 /usr/sbin/conntrack && rm -rf /opt/cni/*",
      ]);
      for (let times = 0; times < 2; times++) {
        expect((await host.run([script])).trim()).toMatch(/kybern up and kybern kubelet find it by themselves\.$/);
      }
      expect(await host.run(["readlink", "/opt/cni/bin"])).toBe("/usr/lib/cni\n");
      expect(await host.run(["cat", "/proc/sys/net/ipv4/ip_forward"])).toBe("1\n");
      expect(host.read("/etc/sysctl.d/99-kybern.conf")).toContain("net.ipv4.ip_forward = 1\n");
    });

    test("a containerd that does not serve nodes is named", async () => {
      host.write("/etc/containerd/config.toml", 'disabled_plugins = ["cri"]\n');
      const { code, stderr } = await host.tryRun([script]);
      expect([code, stderr]).toEqual([1, expect.stringContaining("puts the plugin cri off")]);
    });
  },
);
