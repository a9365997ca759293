import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { HostFiles } from "#base/host-files.ts";
import { realHostFiles } from "#base/host-files.ts";
import { bridgeName } from "#cni/bridge-network.ts";
import { CONFIGURATION_FOLDER, writeNodeNetwork } from "#cni/node-network.ts";
import type { PodSandboxConfig, PortMapping } from "#cri/pod-sandbox.ts";
import { CONTAINERD_REASON, type ContainerdVersion, containerdVersions } from "../support/containerd.ts";
import { BUSYBOX_IMAGE, HostContainerd } from "../support/host-containerd.ts";
import { eventually } from "../support/kubectl.ts";
import { hasTestHosts, TEST_HOST_REASON, TestHost, TestNetwork } from "../support/test-host.ts";

/** A web server that says who it is, and goes on. */
const SERVE = (name: string): string[] => [
  "sh",
  "-c",
  `mkdir -p /www && echo ${name} >/www/index.html && httpd -f -p 8080 -h /www`,
];

/** Says `heard` to whoever sends something. Debian's busybox has nothing that hears datagrams. */
const ANSWER_DATAGRAMS = `
  const socket = require("node:dgram").createSocket("udp4");
  socket.on("message", (_text, { port, address }) => socket.send("heard\\n", port, address));
  socket.bind(8080);
`;
const SEND_DATAGRAM = `
  const socket = require("node:dgram").createSocket("udp4");
  socket.once("message", (text) => { process.stdout.write(text); process.exit(0); });
  socket.send("hello", Number(process.argv[2]), process.argv[1]);
  setTimeout(() => process.exit(1), 3000);
`;

describe.skipIf(!hasTestHosts || containerdVersions.length === 0)(
  `the network of a node's pods (${TEST_HOST_REASON}; ${CONTAINERD_REASON})`,
  () => {
    let network: TestNetwork;
    let node: TestHost;
    let outside: TestHost;
    let client: ReturnType<HostContainerd["connect"]>;
    beforeAll(async () => {
      network = await TestNetwork.start("192.168.30.1/24");
      node = await TestHost.start(network, "node-1", "192.168.30.11");
      outside = await TestHost.start(network, "outside", "192.168.30.20");
      const containerd = await HostContainerd.start(node, containerdVersions.at(-1) as ContainerdVersion);
      client = containerd.connect();
    });
    afterAll(async () => {
      client?.channel.close();
      await node?.[Symbol.asyncDispose]();
      await outside?.[Symbol.asyncDispose]();
      await network?.[Symbol.asyncDispose]();
    });

    const write = (...podCidrs: readonly string[]): Promise<unknown> =>
      writeNodeNetwork(
        realHostFiles satisfies HostFiles,
        { podCidrs, bridge: bridgeName(node.name), masquerade: true },
        node.path(CONFIGURATION_FOLDER),
      );
    /** Starts a pod with one container; gives its sandbox's id, the container's, and its address. */
    const pod = async (
      name: string,
      portMappings: readonly PortMapping[] = [],
    ): Promise<Record<"sandbox" | "id" | "ip", string>> => {
      const config: PodSandboxConfig = {
        metadata: { name, namespace: "default", uid: name, attempt: 0 },
        hostname: name,
        labels: {},
        annotations: {},
        logDirectory: `/var/log/pods/${name}`,
        portMappings,
        linux: { cgroupParent: "/pods" },
      };
      const sandbox = await client.runtime.runPodSandbox(config);
      const container = { metadata: { name: "c", attempt: 0 }, image: { image: BUSYBOX_IMAGE }, command: SERVE(name), args: [] };
      const id = await client.runtime.createContainer(sandbox, { ...container, labels: {}, annotations: {} }, config);
      await client.runtime.startContainer(id);
      return { sandbox, id, ip: (await client.runtime.podSandboxStatus(sandbox)).ip };
    };
    const inside = async (id: string, ...command: string[]): Promise<string> => {
      const { exitCode, stdout, stderr } = await client.runtime.execSync(id, command, 10);
      if (exitCode !== 0) throw new Error(`${command.join(" ")}: ${exitCode} ${stderr}`);
      return stdout.toString();
    };
    /** Debian's busybox has a `wget` that crashes. */
    const ask = (ip: string, port: number): string[] => [
      "sh",
      "-c",
      `printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 5 ${ip} ${port}`,
    ];
    /** What lets a program of the node run in the network of the pod with that address. */
    const within = async (ip: string): Promise<readonly string[]> => {
      for (const name of (await node.run(["ls", "/var/run/netns"])).trim().split("\n")) {
        const enter = ["nsenter", `--net=/var/run/netns/${name}`];
        if ((await node.run([...enter, "ip", "-brief", "-4", "address"])).includes(`${ip}/`)) return enter;
      }
      throw new Error(`no network has ${ip}`);
    };
    const get = (host: TestHost, url: string): Promise<string> => host.run(["curl", "-sSf", "--max-time", "5", url]);

    test("there is none until its configuration is written, and there is one at once then", async () => {
      expect((await client.runtime.status()).conditions).toContainEqual(
        expect.objectContaining({ type: "NetworkReady", status: false, reason: "NetworkPluginNotReady" }),
      );
      expect(await write("10.244.3.0/24")).toEqual({ outcome: "written" });
      await eventually(async () =>
        (await client.runtime.status()).conditions.some(({ type, status }) => type === "NetworkReady" && status),
      );
    });

    test("pods reach one another, the node, themselves and what is outside", async () => {
      const [a, b] = [await pod("a"), await pod("b")];
      expect([a.ip, b.ip]).toEqual(["10.244.3.2", "10.244.3.3"]);
      expect(await eventually(() => inside(a.id, ...ask(b.ip, 8080)))).toContain("b");
      expect(await inside(b.id, ...ask(a.ip, 8080))).toContain("a");
      expect(await inside(a.id, ...ask(a.ip, 8080))).toContain("a");
      expect(await get(node, `http://${a.ip}:8080/`)).toBe("a\n");
      const web = node.start(["busybox", "httpd", "-f", "-p", "8099", "-h", "/etc/kubernetes"]);
      node.write("/etc/kubernetes/index.html", "the node");
      expect(await eventually(() => inside(a.id, ...ask("10.244.3.1", 8099)))).toContain("the node");
      expect(await inside(a.id, ...ask(node.address, 8099))).toContain("the node");
      await web.stop();
      outside.write("/etc/kubernetes/index.html", "outside");
      const there = outside.start(["busybox", "httpd", "-f", "-v", "-p", "8099", "-h", "/etc/kubernetes"]);
      expect(await eventually(() => inside(a.id, ...ask(outside.address, 8099)))).toContain("outside");
      // Outside nobody knows the way to a pod: it speaks from its node's address.
      expect(there.output).toContain("192.168.30.11");
      expect(there.output).not.toContain("10.244.3.");
      await there.stop();
      for (const { sandbox } of [a, b]) await client.runtime.removePodSandbox(sandbox);
    });

    test("a pod's port of the node leads to it, from the node and from outside, as long as it lives", async () => {
      const { sandbox, id } = await pod("web", [{ protocol: "TCP", containerPort: 8080, hostPort: 30_080 }]);
      expect(await eventually(() => get(outside, `http://${node.address}:30080/`))).toBe("web\n");
      expect(await get(node, `http://${node.address}:30080/`)).toBe("web\n");
      expect(await get(node, "http://127.0.0.1:30080/")).toBe("web\n");
      expect(await inside(id, ...ask(node.address, 30_080))).toContain("web");
      await client.runtime.removePodSandbox(sandbox);
      await expect(get(outside, `http://${node.address}:30080/`)).rejects.toThrow("curl");
      expect(await node.run(["iptables-save", "-t", "nat"])).not.toContain("30080");
    });

    test("a port of the node is one for each protocol and each of its addresses", async () => {
      const second = "192.168.30.12";
      await node.run(["ip", "address", "add", `${second}/24`, "dev", "eth0"]);
      const tcp = (hostIp: string): PortMapping => ({ protocol: "TCP", containerPort: 8080, hostPort: 30_090, hostIp });
      const datagrams = await pod("datagrams", [{ protocol: "UDP", containerPort: 8080, hostPort: 30_090 }]);
      const there = [await pod("first", [tcp(node.address)]), await pod("second", [tcp(second)]), datagrams];
      const server = node.start([...(await within(datagrams.ip)), process.execPath, "-e", ANSWER_DATAGRAMS]);
      expect(await eventually(() => get(outside, `http://${node.address}:30090/`))).toBe("first\n");
      expect(await eventually(() => get(outside, `http://${second}:30090/`))).toBe("second\n");
      for (const ip of [node.address, second]) {
        expect(await eventually(() => outside.run([process.execPath, "-e", SEND_DATAGRAM, ip, "30090"]))).toBe("heard\n");
      }
      await server.stop();
      await client.runtime.removePodSandbox(there[0]?.sandbox ?? "");
      await expect(get(outside, `http://${node.address}:30090/`)).rejects.toThrow("curl");
      expect(await get(outside, `http://${second}:30090/`)).toBe("second\n");
      for (const { sandbox } of there.slice(1)) await client.runtime.removePodSandbox(sandbox);
      expect(await node.run(["iptables-save", "-t", "nat"])).not.toContain("30090");
      await node.run(["ip", "address", "del", `${second}/24`, "dev", "eth0"]);
    });

    test("after another range was given to the node, new pods are in it", async () => {
      await write("10.244.9.0/24");
      const address = async (): Promise<string> => {
        const { sandbox, ip } = await pod("moved");
        await client.runtime.removePodSandbox(sandbox);
        return ip;
      };
      await eventually(async () => (await address()).startsWith("10.244.9."));
      expect(await node.run(["ip", "-brief", "address", "show", bridgeName(node.name)])).toContain("10.244.9.1/24");
    });

    test("with a range of each family, pods reach one another by both", async () => {
      await write("10.244.10.0/24", "fd00:10:244::/64");
      await eventually(async () => {
        const { sandbox, ip } = await pod("probe");
        await client.runtime.removePodSandbox(sandbox);
        return ip.startsWith("10.244.10.");
      });
      const [a, b] = [await pod("a"), await pod("b")];
      const { additionalIps } = await client.runtime.podSandboxStatus(b.sandbox);
      expect(additionalIps).toEqual([expect.stringMatching(/^fd00:10:244::/)]);
      for (const ip of [b.ip, ...additionalIps]) expect(await eventually(() => inside(a.id, ...ask(ip, 8080)))).toContain("b");
      const [at, from] = ["fd00:192:168:30::11", "fd00:192:168:30::20"];
      for (const [host, ip] of [
        [node, at],
        [outside, from],
      ] as const)
        await host.run(["ip", "-6", "address", "add", `${ip}/64`, "dev", "eth0", "nodad"]);
      const c = await pod("c", [{ protocol: "TCP", containerPort: 8080, hostPort: 30_091, hostIp: at }]);
      expect(await eventually(() => get(outside, `http://[${at}]:30091/`))).toBe("c\n");
      await expect(get(outside, `http://${node.address}:30091/`)).rejects.toThrow("curl");
      for (const { sandbox } of [a, b, c]) await client.runtime.removePodSandbox(sandbox);
      expect(await node.run(["ip6tables-save", "-t", "nat"])).not.toContain("30091");
    });

    test("nothing of the pods that are gone is left", async () => {
      expect(await client.runtime.listPodSandbox()).toEqual([]);
      expect(await node.run(["ls", "/var/run/netns"])).toBe("");
      expect(await node.run(["ip", "-brief", "link", "show", "type", "veth"])).toMatch(/^eth0\S*\s.*\n$/);
      expect(await node.run(["sh", "-c", "ls /run/kybern/cni/*/kybern"])).toMatch(/^(last_reserved_ip\.[01]\n)+lock\n$/);
    });
  },
);
