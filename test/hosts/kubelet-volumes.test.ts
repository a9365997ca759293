import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { podDns } from "#kubelet/network-files/pod-dns.ts";
import { SysctlAllowlist, safeSysctls } from "#kubelet/sysctl/allowlist.ts";
import { asker } from "../support/ask.ts";
import { type Cluster, startCluster } from "../support/cluster.ts";
import { CONTAINERD_REASON, containerdVersions } from "../support/containerd.ts";
import { type InsideCase, insideCases } from "../support/inside-cases.ts";
import { RealNode } from "../support/real-node.ts";
import { saySkipped } from "../support/say-skipped.ts";

// biome-ignore lint/suspicious/noExplicitAny: tests look into whatever was answered.
type Any = any;

const SOON = { timeout: 60_000, interval: 200 };
const CORE = "/api/v1/namespaces/default";
const PODS = `${CORE}/pods`;
const UNTIL_TOLD = ["sh", "-c", 'trap "exit 143" TERM; while :; do sleep 0.1; done'];
const DNS = { clusterDns: ["10.96.0.10"], clusterDomain: "cluster.local", ofNode: undefined, nodeIps: [] };
const base64 = (text: string): string => Buffer.from(text).toString("base64");

saySkipped(containerdVersions.length > 0, `what containers find inside: ${CONTAINERD_REASON}`);

/** Through the API server and a kubelet; which containerd it is makes no difference here. */
describe.each(containerdVersions.slice(-1))("what containers find inside, by a kubelet on $name", (version) => {
  const root = mkdtempSync(join(tmpdir(), "kybern-inside-"));
  const cases = insideCases(root);
  let node: RealNode;
  let cluster: Cluster;
  let ask: ReturnType<typeof asker>;

  beforeAll(async () => {
    const allowlist = new SysctlAllowlist(safeSysctls("6.1"));
    node = await RealNode.start({
      version,
      config: { syncFrequency: "1s" },
      options: { dns: async (pod) => podDns(pod, DNS).config, refuse: (pod) => allowlist.rejectionOf(pod) },
    });
    cluster = await startCluster({ nodes: 0, network: node.network });
    ask = asker(cluster);
    await node.register(cluster.client);
    await node.launch(cluster);
    await vi.waitFor(async () => expect((await ask("GET", `${CORE}/serviceaccounts/default`)).status).toBe(200), SOON);
    await Promise.all(cases.map(begin));
  }, 120_000);
  afterAll(async () => {
    await cluster?.stop();
    // Fails when something of a pod is left on the machine.
    await node?.[Symbol.asyncDispose]();
    expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(root);
    rmSync(root, { recursive: true });
  }, 120_000);

  const podOf = async (name: string): Promise<Any> => (await ask("GET", `${PODS}/${name}`)).body;
  const post = async (path: string, body: object): Promise<void> => {
    const made = await ask("POST", path, body);
    expect(made.status, made.text).toBe(201);
  };
  const create = (name: string, spec: Any, metadata: Any = {}): Promise<void> => {
    const { container = {}, containers = [{ name: "c", ...container }], ...others } = spec;
    const complete = containers.map((one: Any) => ({ image: node.image, command: UNTIL_TOLD, ...one }));
    return post(PODS, {
      metadata: { name, ...metadata },
      spec: { nodeName: node.nodeName, terminationGracePeriodSeconds: 1, ...others, containers: complete },
    });
  };
  const running = (name: string) => vi.waitFor(async () => expect((await podOf(name)).status?.phase).toBe("Running"), SOON);
  /** What a command says in a container of a pod. */
  const run = async (name: string, command: string, container = "c"): Promise<string> => {
    const { containerStatuses } = (await podOf(name)).status;
    const { containerID } = containerStatuses.find((one: Any) => one.name === container);
    const id = containerID.replace("containerd://", "");
    const { stdout, stderr } = await node.containerd.runtime.execSync(id, ["sh", "-c", command], 20);
    return `${stdout}${stderr}`.trim();
  };
  const remove = async (name: string): Promise<void> => {
    const { uid } = (await podOf(name)).metadata;
    await ask("DELETE", `${PODS}/${name}`);
    await vi.waitFor(async () => expect((await ask("GET", `${PODS}/${name}`)).status).toBe(404), SOON);
    await vi.waitFor(() => expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(`/pods/${uid}/`), SOON);
  };
  const messages = async (name: string, reason: string): Promise<readonly string[]> =>
    (await ask("GET", `${CORE}/events?fieldSelector=involvedObject.name%3D${name}%2Creason%3D${reason}`)).body.items.map(
      ({ message }: Any) => message,
    );

  const nameOf = (one: InsideCase): string => `in-${cases.indexOf(one)}`;
  const begin = async (one: InsideCase): Promise<void> => {
    for (const [path, body] of Object.entries(one.objects?.() ?? {})) {
      const [resource = "", name = ""] = path.split("/");
      await post(resource === "persistentvolumes" ? `/api/v1/${resource}` : `${CORE}/${resource}`, {
        metadata: { name },
        ...body,
      });
    }
    await create(nameOf(one), one.spec(), one.metadata);
  };

  test.each(cases.map((one) => ({ name: one.name, one })))("$name", async ({ one }) => {
    await running(nameOf(one));
    for (const [command, want] of Object.entries(one.finds)) {
      const said = await run(nameOf(one), command);
      if (typeof want === "string") expect(said, command).toBe(want);
      else expect(said, command).toMatch(want);
    }
    await remove(nameOf(one));
  });

  test("what is missing holds a pod back and is told, until it is there", async () => {
    await create("waits", {
      volumes: [{ name: "map", configMap: { name: "late" } }],
      container: { volumeMounts: [{ name: "map", mountPath: "/m" }] },
    });
    const want = 'MountVolume.SetUp failed for volume "map" : configmap "late" not found';
    await vi.waitFor(async () => expect(await messages("waits", "FailedMount")).toContain(want), SOON);
    expect((await podOf("waits")).status.containerStatuses[0].state).toEqual({ waiting: { reason: "ContainerCreating" } });
    await post(`${CORE}/configmaps`, { metadata: { name: "late" }, data: { a: "1" } });
    await running("waits");
    expect(await run("waits", "cat /m/a")).toBe("1");
    await remove("waits");
  });

  test("a pod whose claim is not bound waits for that", async () => {
    await post(`${CORE}/persistentvolumeclaims`, {
      metadata: { name: "unbound" },
      spec: { accessModes: ["ReadWriteOnce"], storageClassName: "", resources: { requests: { storage: "5Gi" } } },
    });
    await create("claims", {
      volumes: [{ name: "v", persistentVolumeClaim: { claimName: "unbound" } }],
      container: { volumeMounts: [{ name: "v", mountPath: "/m" }] },
    });
    const want =
      "Unable to attach or mount volumes: unmounted volumes=[v], unattached volumes=[], failed to process volumes=[v]: " +
      "error processing PVC default/unbound: PVC is not bound";
    await vi.waitFor(async () => expect(await messages("claims", "FailedMount")).toContain(want), SOON);
    await post("/api/v1/persistentvolumes", {
      metadata: { name: "fits" },
      spec: {
        accessModes: ["ReadWriteOnce"],
        storageClassName: "",
        capacity: { storage: "5Gi" },
        hostPath: { path: join(root, "fits"), type: "DirectoryOrCreate" },
      },
    });
    await running("claims");
    await run("claims", "echo kept > /m/f");
    await remove("claims");
    expect(readFileSync(join(root, "fits/f"), "utf8")).toBe("kept\n");
  });

  test("files from the API change while containers run, all at once", async () => {
    await post(`${CORE}/configmaps`, { metadata: { name: "live" }, data: { a: "1", b: "1" } });
    await post(`${CORE}/secrets`, { metadata: { name: "live" }, data: { s: base64("old") } });
    const items = [{ path: "labels", fieldRef: { fieldPath: "metadata.labels" } }];
    const volumes = [
      { name: "map", configMap: { name: "live" } },
      { name: "sec", secret: { secretName: "live" } },
      { name: "fields", downwardAPI: { items } },
    ];
    const volumeMounts = volumes.map(({ name }) => ({ name, mountPath: `/mnt/${name}` }));
    await create("changes", { volumes, container: { volumeMounts } }, { labels: { x: "1" } });
    await running("changes");
    const merge = (path: string, body: object) => ask("PATCH", path, body, { "content-type": "application/merge-patch+json" });
    await merge(`${CORE}/configmaps/live`, { data: { a: null, b: "2", c: "2" } });
    await merge(`${CORE}/secrets/live`, { data: { s: base64("new") } });
    await merge(`${PODS}/changes`, { metadata: { labels: { x: "2" } } });
    await vi.waitFor(async () => {
      expect(await run("changes", "cd /mnt/map; for f in *; do echo $f=$(cat $f); done")).toBe("b=2\nc=2");
      expect(await run("changes", "cat /mnt/sec/s; echo; cat /mnt/fields/labels")).toBe('new\nx="2"');
    }, SOON);
    // What is gone stays as it was seen last.
    await ask("DELETE", `${CORE}/secrets/live`);
    await vi.waitFor(async () => expect(await messages("changes", "FailedMount")).not.toEqual([]), SOON);
    expect(await run("changes", "cat /mnt/sec/s")).toBe("new");
    await remove("changes");
  });

  test("what volumes of claims take is told in the node's metrics", async () => {
    await create("takes", {
      volumes: [{ name: "claim", persistentVolumeClaim: { claimName: "measured" } }],
      container: { volumeMounts: [{ name: "claim", mountPath: "/claim" }] },
    });
    const common = { accessModes: ["ReadWriteOnce"], storageClassName: "" };
    mkdirSync(join(root, "measured"));
    const nodeAffinity = { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: "x", operator: "DoesNotExist" }] }] } };
    const local = { local: { path: join(root, "measured") }, nodeAffinity };
    await post("/api/v1/persistentvolumes", {
      metadata: { name: "measured" },
      spec: { ...common, capacity: { storage: "1Gi" }, ...local },
    });
    const resources = { requests: { storage: "1Gi" } };
    const claim = { metadata: { name: "measured" }, spec: { ...common, volumeName: "measured", resources } };
    await post(`${CORE}/persistentvolumeclaims`, claim);
    await running("takes");
    const proxy = `/api/v1/nodes/${node.nodeName}/proxy`;
    expect((await ask("GET", `${proxy}/metrics`)).text).toMatch(
      /^kubelet_volume_stats_capacity_bytes\{namespace="default",persistentvolumeclaim="measured"\} [1-9]\d+$/m,
    );
    await remove("takes");
  });

  test("a container's last word is told, whoever says it", async () => {
    await create("last", {
      restartPolicy: "Never",
      container: {
        command: ["sh", "-c", "echo -n DONE > /dev/termination-custom"],
        terminationMessagePath: "/dev/termination-custom",
        securityContext: { runAsUser: 1001 },
      },
    });
    await vi.waitFor(async () => {
      expect((await podOf("last")).status.containerStatuses?.[0]?.state?.terminated?.message).toBe("DONE");
    }, SOON);
    await remove("last");
  });

  const held = async (name: string, reason = "CreateContainerConfigError"): Promise<Any> => {
    let waiting: Any;
    await vi.waitFor(async () => {
      waiting = (await podOf(name)).status?.containerStatuses?.[0]?.state?.waiting;
      expect(waiting?.reason).toBe(reason);
    }, SOON);
    await remove(name);
    return waiting.message;
  };

  test("an image as a volume: a runtime that cannot mount one says so of the container", async () => {
    await create("with-image", {
      volumes: [{ name: "v", image: { reference: node.image, pullPolicy: "IfNotPresent" } }],
      container: { volumeMounts: [{ name: "v", mountPath: "/m" }] },
    });
    // Runtimes that do not know of images in mounts, as containerd before 2.1, see a mount of nothing.
    expect(await held("with-image", "CreateContainerError")).toMatch(/mkdir "": mkdir : no such file or directory/);
  });

  test.each(
    [
      {
        name: "root",
        container: { securityContext: { runAsNonRoot: true } },
        want: /^container has runAsNonRoot and image will run as root \(pod: "held-0_default\(.*\)", container: c\)$/,
      },
      {
        name: "runAsUser 0",
        container: { securityContext: { runAsNonRoot: true, runAsUser: 0 } },
        want: /^container's runAsUser breaks non-root policy \(pod: /,
      },
      {
        name: "a part by an absolute path",
        volumes: [{ name: "v", emptyDir: {} }],
        container: { env: [{ name: "P", value: "/tmp" }], volumeMounts: [{ name: "v", mountPath: "/m", subPathExpr: "$(P)" }] },
        want: /^error SubPath `\/tmp` must not be an absolute path$/,
      },
      {
        name: "a part with backticks",
        volumes: [{ name: "v", emptyDir: {} }],
        container: { env: [{ name: "P", value: ".." }], volumeMounts: [{ name: "v", mountPath: "/m", subPathExpr: "$(P)/x" }] },
        want: /^unable to provision SubPath `..\/x`: must not contain '..'$/,
      },
      {
        name: "a part by an unknown variable",
        volumes: [{ name: "v", emptyDir: {} }],
        container: { volumeMounts: [{ name: "v", mountPath: "/m", subPathExpr: "$(NONE)" }] },
        want: /^missing value for "NONE"$/,
      },
    ].map((one, index) => ({ ...one, pod: `held-${index}` })),
  )("a container is not made: $name", async ({ pod, container, volumes = [], want }) => {
    await create(pod, { volumes, container });
    expect(await held(pod)).toMatch(want);
  });

  test("a setting of the kernel that is not safe fails the pod", async () => {
    await create("unsafe", { securityContext: { sysctls: [{ name: "kernel.msgmax", value: "8192" }] } });
    await vi.waitFor(async () => {
      expect((await podOf("unsafe")).status).toMatchObject({
        phase: "Failed",
        reason: "SysctlForbidden",
        message: 'Pod was rejected: forbidden sysctl: "kernel.msgmax" not allowlisted',
      });
    }, SOON);
    await ask("DELETE", `${PODS}/unsafe`);
    await vi.waitFor(async () => expect((await ask("GET", `${PODS}/unsafe`)).status).toBe(404), SOON);
  });

  test("a link that a container makes in its volume leads no other container to the node's files", async () => {
    const part = (name: string, subPath: string): Any => ({ name, volumeMounts: [{ name: "v", mountPath: "/m", subPath }] });
    const init = { name: "first", image: node.image, volumeMounts: [{ name: "v", mountPath: "/v" }] };
    await create("escape", {
      volumes: [{ name: "v", emptyDir: {} }],
      initContainers: [{ ...init, command: ["sh", "-c", "ln -s / /v/all; ln -s /etc/shadow /v/file"] }],
      containers: [part("folder", "all/etc"), part("file", "file"), part("made", `all${root}/escaped`)],
    });
    const saying = (name: string) => `failed to prepare subPath for volumeMount "v" of container "${name}"`;
    await vi.waitFor(async () => {
      const { containerStatuses } = (await podOf("escape")).status;
      const said = Object.fromEntries(containerStatuses.map(({ name, state }: Any) => [name, state.waiting?.message]));
      expect(said).toEqual({
        folder: saying("folder"),
        file: saying("file"),
        made: 'failed to create subPath directory for volumeMount "v" of container "made"',
      });
    }, SOON);
    expect(existsSync(join(root, "escaped"))).toBe(false);
    await remove("escape");
  });
});
