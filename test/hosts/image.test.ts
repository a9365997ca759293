import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CONTAINERD_REASON, containerdVersions } from "../support/containerd.ts";
import { HostContainerd } from "../support/host-containerd.ts";
import { kybernImage, makeKybernImage } from "../support/kybern-image.ts";
import { hasTestHosts, TEST_HOST_REASON, TestHost, TestNetwork } from "../support/test-host.ts";

/** As the guides' manifests name it. */
const GUIDES = ["v1.2.3", "v1.4.0", "v1.5.2", "v1.7.2"].map((version) => `quay.io/coreos/hyperkube:${version}_coreos.0`);
const MEGABYTE = 1_000_000;
/** The image's layers are compressed where they were not before. */
const SETUP_MS = 120_000;

const sha256 = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

test("the image is small, and the same whenever it is made", { timeout: SETUP_MS }, () => {
  const first = makeKybernImage("kybern:test", ...GUIDES);
  expect(first.archive.length).toBeLessThan(60 * MEGABYTE);
  expect(first.output).toContain("docker.io/library/kybern:test");
  expect(sha256(makeKybernImage("kybern:test", ...GUIDES).archive)).toBe(sha256(first.archive));
});

describe.skipIf(!hasTestHosts || containerdVersions.length === 0)(`the image (${TEST_HOST_REASON}; ${CONTAINERD_REASON})`, () => {
  describe.each(containerdVersions)("in $name", (version) => {
    let network: TestNetwork;
    let host: TestHost;
    beforeAll(async () => {
      network = await TestNetwork.start("192.168.24.1/24");
      host = await TestHost.start(network, "node-1", "192.168.24.11");
      const containerd = await HostContainerd.start(host, version);
      await containerd.importImage(kybernImage("kybern:test", ...GUIDES));
    }, SETUP_MS);
    afterAll(async () => {
      await host?.[Symbol.asyncDispose]();
      await network?.[Symbol.asyncDispose]();
    });
    let runs = 0;
    /** What a command in the image prints, and its code. */
    const run = async (image: string, ...command: readonly string[]): Promise<[number, string]> => {
      const args = ["--namespace=k8s.io", "run", "--rm", "--net-host", "--privileged", image, `run-${++runs}`, ...command];
      const { code, stdout, stderr } = await host.tryRun(["ctr", ...args]);
      return [code, stdout + stderr];
    };

    test("is known by every name that it was given", async () => {
      const names = (await host.run(["ctr", "--namespace=k8s.io", "images", "list", "--quiet"])).split("\n");
      expect(names).toEqual(expect.arrayContaining(["docker.io/library/kybern:test", ...GUIDES]));
    });

    test.each([
      ...GUIDES.map((image) => ({ image, command: ["/hyperkube", "apiserver", "--help"], says: "The API server on etcd." })),
      { image: "", command: ["/apiserver", "--help"], says: "The API server on etcd." },
      { image: "", command: ["/hyperkube", "controller-manager", "--help"], says: "Usage: kybern kube-controller-manager" },
      { image: "", command: ["kube-scheduler", "--help"], says: "Usage: kybern kube-scheduler" },
      { image: "", command: ["/usr/local/bin/kube-controller-manager", "--help"], says: "Usage: kybern kube-controller-manager" },
      { image: "", command: ["/hyperkube", "proxy", "--version"], says: "v1.36" },
      { image: "", command: ["/hyperkube", "kubelet", "--version"], says: "v1.36" },
      { image: "", command: ["kubelet-wrapper", "--version"], says: "v1.36" },
      { image: "", command: ["kybern", "version"], says: "v1.36" },
      { image: "", command: ["nft", "--version"], says: "nftables v" },
      { image: "", command: ["nft", "list", "ruleset"], says: "" },
      { image: "", command: ["iptables-save"], says: "" },
      {
        image: "",
        command: ["iptables", "--wait", "-t", "nat", "-A", "OUTPUT", "-p", "tcp", "-m", "comment", "--comment", "c"],
        says: "",
      },
      { image: "", command: ["iptables-restore", "--version"], says: "nf_tables" },
      { image: "", command: ["conntrack", "--version"], says: "conntrack v" },
      { image: "", command: ["ip", "link", "show", "lo"], says: "LOOPBACK" },
    ])("runs $command of $image", async ({ image, command, says }) => {
      const name = image === "" ? "docker.io/library/kybern:test" : image;
      expect(await run(name, ...command)).toEqual([0, expect.stringContaining(says)]);
    });

    test("keeps a cluster in the embedded store, with the native module that this takes", async () => {
      const script =
        'import("/opt/kybern/node_modules/lmdb/node-index.js").then(({ open }) => { const db = open("/tmp/x", {}); db.putSync("k", 7); console.log("got", db.get("k")); })';
      expect(await run("docker.io/library/kybern:test", "node", "-e", script)).toEqual([0, "got 7\n"]);
    });
  });
});
