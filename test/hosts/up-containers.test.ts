import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CONTAINERD_REASON, type ContainerdVersion, containerdVersions } from "../support/containerd.ts";
import { BUSYBOX_IMAGE, HostContainerd } from "../support/host-containerd.ts";
import { eventually, hasKubectl } from "../support/kubectl.ts";
import { isBuilt, programPath } from "../support/program.ts";
import { type HostProgram, hasTestHosts, TEST_HOST_REASON, TestHost, TestNetwork } from "../support/test-host.ts";

const canRun = hasTestHosts && containerdVersions.length > 0 && isBuilt && hasKubectl;

describe.skipIf(!canRun)(`kybern up on containerd (${TEST_HOST_REASON}; ${CONTAINERD_REASON}; kubectl, and dist/)`, () => {
  let network: TestNetwork;
  let host: TestHost;

  beforeAll(async () => {
    network = await TestNetwork.start("192.168.41.1/24");
    host = await TestHost.start(network, "laptop", "192.168.41.10");
  }, 60_000);
  afterAll(async () => {
    await host?.[Symbol.asyncDispose]();
    await network?.[Symbol.asyncDispose]();
  });

  /** Starts it, and waits for its banner; gives the program, or how it ended. */
  async function up(flags: readonly string[], prefix: readonly string[] = []): Promise<HostProgram> {
    const program = host.start([...prefix, process.execPath, programPath, "up", ...flags]);
    await eventually(() => program.output.includes("Ctrl-C") || !program.isRunning, 30_000, "kybern up");
    return program;
  }
  const asNobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
  const line = (program: HostProgram): string => /^ +containers +(.*)$/m.exec(program.output)?.[1] ?? program.output;

  test("without a runtime containers are simulated, and the banner says why", async () => {
    const program = await up(["--data-dir=/var/lib/kybern-none", "--secure-port=0"]);
    expect(line(program)).toMatch(/^simulated \(no container runtime was found: /);
    const [banner = ""] = program.output.split("  data ");
    expect(Math.max(...banner.split("\n").map(({ length }) => length))).toBeLessThanOrEqual(100);
    expect(program.output).toContain("1 simulated node");
    expect(await program.stop("SIGINT")).toBe(0);
    const asked = await up(["--data-dir=/var/lib/kybern-none", "--secure-port=0", "--node-runtime=containerd"]);
    expect(await asked.exited).toBe(1);
    expect(asked.output).toContain("--node-runtime=containerd cannot be had: no container runtime was found");
    const wrong = await up(["--node-runtime=docker"]);
    expect(await wrong.exited).toBe(2);
    expect(wrong.output).toContain('flag --node-runtime takes auto, containerd, simulated, not "docker"');
  });

  describe("with one", () => {
    let program: HostProgram;
    beforeAll(async () => {
      await HostContainerd.start(host, containerdVersions.at(-1) as ContainerdVersion);
      program = await up(["--data-dir=/var/lib/kybern"]);
    }, 90_000);
    afterAll(async () => {
      await program?.[Symbol.asyncDispose]();
    });
    const kubectl = async (...args: readonly string[]): Promise<string> => {
      const { code, stdout, stderr } = await host.tryRun(["kubectl", "--kubeconfig=/var/lib/kybern/admin.kubeconfig", ...args]);
      if (code !== 0) throw new Error(`kubectl ${args.join(" ")}: ${stderr}`);
      return stdout;
    };

    test("this machine is the node", async () => {
      expect(line(program)).toMatch(/^real ones, on containerd:\/\//);
      expect(program.output).toContain("kube-scheduler, node laptop\n");
      await kubectl("wait", "--for=condition=Ready", "node/laptop", "--timeout=30s");
      expect((await kubectl("get", "nodes", "--output=name")).trim()).toBe("node/laptop");
    }, 60_000);

    test("its pods are real, with addresses, logs and commands, and go on when it is stopped", async () => {
      await kubectl("run", "web", `--image=${BUSYBOX_IMAGE}`, "--restart=Always", "--", "sh", "-c", "echo hello; sleep 1000000");
      await kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=60s");
      expect(await kubectl("get", "pod", "web", "--output=jsonpath={.status.podIP}")).toMatch(/^10\.243\.0\.\d+$/);
      expect(await kubectl("logs", "web")).toBe("hello\n");
      expect(await kubectl("exec", "web", "--", "hostname")).toBe("web\n");
      expect(/^ +DNS +(.*)$/m.exec(program.output)?.[1]).toBe("10.96.0.10");
      expect(await kubectl("exec", "web", "--", "cat", "/etc/resolv.conf")).toMatch(
        /^search default\.svc\.cluster\.local svc\.cluster\.local cluster\.local.*\nnameserver 10\.96\.0\.10\noptions ndots:5\n$/,
      );
      // By the search path of the libraries, though nobody answers there, and by an address.
      const ping = ["sh", "-c", "ping -c 1 -W 1 kubernetes.default; true"];
      expect(await kubectl("exec", "web", "--", ...ping)).toContain("PING kubernetes.default (10.96.0.1)");
      expect(await kubectl("exec", "web", "--", "nslookup", "10.96.0.10")).toContain("kube-dns.kube-system.svc.cluster.local");
      const running = (): Promise<string> =>
        kubectl("get", "pod", "web", "--output=jsonpath={.status.containerStatuses[0].containerID}");
      const before = await running();
      expect(await program.stop("SIGINT")).toBe(0);
      expect(await host.run(["ip", "addr", "show", "lo"])).not.toContain("10.96.0.10");
      expect(
        (await host.run(["ctr", "--namespace=k8s.io", "tasks", "list"])).split("\n").filter((one) => one.includes("RUNNING")),
      ).toHaveLength(2);
      program = await up(["--data-dir=/var/lib/kybern"]);
      await kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=60s");
      expect(await running()).toBe(before);
    }, 120_000);

    test("a Service leads from one pod to another, and its rules go with the cluster", async () => {
      const serve = 'while true; do echo "HTTP/1.0 200 OK\n\nhere" | nc -l -p 8080; done';
      await kubectl("run", "server", `--image=${BUSYBOX_IMAGE}`, "--labels=app=server", "--", "sh", "-c", serve);
      await kubectl("expose", "pod", "server", "--port=80", "--target-port=8080");
      await kubectl("wait", "--for=condition=Ready", "pod/server", "--timeout=60s");
      const ask =
        'for i in $(seq 30); do printf "GET / HTTP/1.0\\r\\n\\r\\n" | nc -w 2 server 80 | grep here && exit 0; sleep 1; done; exit 1';
      expect(await kubectl("exec", "web", "--", "sh", "-c", ask)).toContain("here");
      // The API server listens on 127.0.0.1 alone; pods have a way to it all the same, by its Service.
      const hello = "nc -w 5 kubernetes.default.svc 443 < /dev/null && echo open";
      expect(await kubectl("exec", "web", "--", "sh", "-c", hello)).toContain("open");
      const slice = ["get", "endpointslices", "kubernetes", "--output=jsonpath={.endpoints[*].addresses[*]}"];
      expect(await kubectl(...slice)).toBe("10.243.0.1");
      expect(/^ +Services +(.*)$/m.exec(program.output)?.[1]).toBe("by nftables");
      expect(await host.run(["nft", "list", "tables"])).toContain("kube-proxy");
      expect(await program.stop("SIGINT")).toBe(0);
      expect(await host.run(["nft", "list", "tables"])).not.toContain("kube-proxy");
      program = await up(["--data-dir=/var/lib/kybern"]);
    }, 120_000);

    test("who is not root, asks for nodes in numbers, or comes second gets simulated ones", async () => {
      const dir = (await host.run([...asNobody, "mktemp", "--directory"])).trim();
      const nobody = await up([`--data-dir=${dir}/data`, "--secure-port=0"], asNobody);
      expect(line(nobody)).toBe("simulated (this user is not root)");
      await nobody.stop("SIGINT");
      const numbered = await up(["--data-dir=/var/lib/kybern-numbered", "--secure-port=0", "--nodes=2"]);
      expect([line(numbered), numbered.output.includes("2 simulated nodes")]).toEqual(["simulated", true]);
      await numbered.stop("SIGINT");
      const second = await up(["--data-dir=/var/lib/kybern-second", "--secure-port=0"]);
      expect(line(second)).toBe("simulated (port 10250 is in use, by another kubelet maybe)");
      await second.stop("SIGINT");
    }, 60_000);
  });
});
