import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type PodCluster, podClusterKinds, START_TIMEOUT_MS } from "../support/pod-cluster.ts";

// biome-ignore lint/suspicious/noExplicitAny: tests look into whatever was answered.
type Any = any;

const SOON = { timeout: 20_000, interval: 50 };
const CORE = "/api/v1/namespaces/default";
const FOREVER = ["sleep", "86400"];
const base64 = (text: string): string => Buffer.from(text).toString("base64");

/** What upstream's specs of test/e2e/common/{node,storage} look for inside of containers. */
describe.each(podClusterKinds)("the inside of containers on $name", (kind) => {
  let pods: PodCluster;
  let ask: PodCluster["ask"];
  beforeAll(async () => {
    pods = await kind.start();
    ask = pods.ask;
    await ask("POST", `${CORE}/configmaps`, {
      metadata: { name: "map" },
      data: { "data-1": "value-1", "data-2": "value-2" },
      binaryData: { dump: Buffer.of(0xde, 0xca, 0xfe).toString("base64") },
    });
    await ask("POST", `${CORE}/secrets`, { metadata: { name: "secret" }, data: { key: base64("hidden\n") } });
    await ask("POST", `${CORE}/services`, {
      metadata: { name: "redis-master" },
      spec: { clusterIP: "10.96.0.77", ports: [{ name: "main", port: 6379 }] },
    });
  }, START_TIMEOUT_MS);
  afterAll(() => pods?.stop(), START_TIMEOUT_MS);

  const create = async (name: string, spec: object, metadata: object = {}): Promise<void> => {
    const made = await ask("POST", `${CORE}/pods`, {
      metadata: { name, ...metadata },
      spec: { terminationGracePeriodSeconds: 0, ...spec },
    });
    expect(made.status, made.text).toBe(201);
  };
  const podOf = async (name: string): Promise<Any> => (await ask("GET", `${CORE}/pods/${name}`)).body;
  const running = (name: string) => vi.waitFor(async () => expect((await podOf(name)).status.phase).toBe("Running"), SOON);
  /** A command's output; its words are parted by single spaces. */
  const run = async (name: string, command: string): Promise<string> =>
    (await ask("POST", `/api/v1/nodes/${pods.nodeName}/proxy/run/default/${name}/c?cmd=${encodeURIComponent(command)}`)).text;
  const container = (more: object = {}): object => ({ name: "c", image: pods.image, command: FOREVER, ...more });
  const events = async (name: string, reason: string): Promise<string[]> =>
    (await ask("GET", `${CORE}/events?fieldSelector=involvedObject.name%3D${name}%2Creason%3D${reason}`)).body.items.map(
      ({ message }: Any) => message,
    );

  test("variables come from values, ConfigMaps, Secrets, fields, resources and services", async () => {
    const from = (valueFrom: object) => ({ valueFrom });
    const env = [
      { name: "FOO", value: "foo-value" },
      { name: "FOOBAR", value: "$(FOO);;$(UNKNOWN);;$$(FOO)" },
      { name: "HOST", value: "at $(REDIS_MASTER_SERVICE_HOST)" },
      { name: "MAP", ...from({ configMapKeyRef: { name: "map", key: "data-1" } }) },
      { name: "SECRET", ...from({ secretKeyRef: { name: "secret", key: "key" } }) },
      { name: "POD_NAME", ...from({ fieldRef: { fieldPath: "metadata.name" } }) },
      { name: "POD_IP", ...from({ fieldRef: { fieldPath: "status.podIP" } }) },
      { name: "HOST_IP", ...from({ fieldRef: { fieldPath: "status.hostIP" } }) },
      { name: "CPU_LIMIT", ...from({ resourceFieldRef: { resource: "limits.cpu" } }) },
      { name: "MEMORY_REQUEST", ...from({ resourceFieldRef: { resource: "requests.memory", divisor: "1Mi" } }) },
      { name: "DEFAULT_LIMIT", ...from({ resourceFieldRef: { resource: "limits.memory", divisor: "1Gi" } }) },
    ];
    const resources = { requests: { memory: "32Mi", cpu: "250m" }, limits: { cpu: "1250m" } };
    const envFrom = [{ prefix: "p-", configMapRef: { name: "map" } }, { secretRef: { name: "none", optional: true } }];
    await create("variables", { containers: [container({ env, envFrom, resources })] });
    await running("variables");
    const { podIP, hostIP } = (await podOf("variables")).status;
    const variables = (await run("variables", "env")).split("\n");
    expect(variables).toEqual(
      expect.arrayContaining([
        "FOO=foo-value",
        "FOOBAR=foo-value;;$(UNKNOWN);;$(FOO)",
        "HOST=at 10.96.0.77",
        "MAP=value-1",
        "SECRET=hidden",
        "POD_NAME=variables",
        `POD_IP=${podIP}`,
        `HOST_IP=${hostIP}`,
        "CPU_LIMIT=2",
        "MEMORY_REQUEST=32",
        "DEFAULT_LIMIT=32",
        "p-data-1=value-1",
        "p-data-2=value-2",
        "REDIS_MASTER_SERVICE_HOST=10.96.0.77",
        "REDIS_MASTER_SERVICE_PORT_MAIN=6379",
        "REDIS_MASTER_PORT=tcp://10.96.0.77:6379",
        "REDIS_MASTER_PORT_6379_TCP_ADDR=10.96.0.77",
        expect.stringMatching(/^KUBERNETES_SERVICE_HOST=/),
      ]),
    );
    await create("unlinked", { enableServiceLinks: false, containers: [container()] });
    await running("unlinked");
    const unlinked = await run("unlinked", "env");
    expect([unlinked.includes("REDIS_MASTER"), unlinked.includes("KUBERNETES_SERVICE_HOST")]).toEqual([false, true]);
  });

  test("commands and arguments have the values of variables", async () => {
    const env = [{ name: "MESSAGE", value: "test-value" }];
    await create("expanded", {
      restartPolicy: "Never",
      containers: [container({ env, command: ["sh", "-c", 'echo "$(MESSAGE)" $$(echo x); echo $0'], args: ["$(MESSAGE)"] })],
    });
    await vi.waitFor(async () => expect((await podOf("expanded")).status.phase).toBe("Succeeded"), SOON);
    expect((await ask("GET", `${CORE}/pods/expanded/log`)).text).toMatch(/^test-value x\ntest-value\n$/);
  });

  test("files come from ConfigMaps, Secrets, fields and tokens, and change when they do", async () => {
    await ask("POST", `${CORE}/configmaps`, { metadata: { name: "changing" }, data: { one: "1", gone: "x" } });
    const volumes = [
      { name: "map", configMap: { name: "map", defaultMode: 0o400 } },
      { name: "items", configMap: { name: "map", items: [{ key: "data-2", path: "path/to/data-2", mode: 0o440 }] } },
      { name: "secret", secret: { secretName: "secret" } },
      { name: "optional", configMap: { name: "none", optional: true } },
      { name: "changing", configMap: { name: "changing" } },
      {
        name: "fields",
        downwardAPI: {
          items: [
            { path: "labels", fieldRef: { fieldPath: "metadata.labels" } },
            { path: "memory", resourceFieldRef: { containerName: "c", resource: "limits.memory" } },
          ],
        },
      },
      {
        name: "all",
        projected: {
          sources: [
            { configMap: { name: "map", items: [{ key: "data-1", path: "m" }] } },
            { secret: { name: "secret" } },
            { downwardAPI: { items: [{ path: "name", fieldRef: { fieldPath: "metadata.name" } }] } },
          ],
        },
      },
    ];
    const mounts = volumes.map(({ name }) => ({ name, mountPath: `/etc/${name}-volume` }));
    const volumeMounts = [...mounts, { name: "map", mountPath: "/single/file", subPath: "data-1" }];
    const resources = { limits: { memory: "64Mi" } };
    await create("files", { volumes, containers: [container({ volumeMounts, resources })] }, { labels: { a: "1", b: "" } });
    await running("files");
    const cat = (path: string) => run("files", `cat /etc/${path}`);
    expect(await run("files", "ls /etc/map-volume")).toBe("data-1\ndata-2\ndump\n");
    expect(await cat("map-volume/data-1")).toBe("value-1");
    expect(await run("files", "wc -c /etc/map-volume/dump")).toBe("3 /etc/map-volume/dump\n");
    expect(await run("files", "ls -l /etc/map-volume/..data/data-1")).toMatch(/^-r--------/);
    expect(await cat("items-volume/path/to/data-2")).toBe("value-2");
    expect(await run("files", "ls -l /etc/items-volume/path/to/data-2")).toMatch(/^-r--r-----/);
    expect(await cat("secret-volume/key")).toBe("hidden\n");
    expect(await run("files", "ls /etc/optional-volume")).toBe("");
    expect(await cat("fields-volume/labels")).toBe('a="1"\nb=""');
    expect(await cat("fields-volume/memory")).toBe("67108864");
    expect(await cat("all-volume/m")).toBe("value-1");
    expect(await cat("all-volume/name")).toBe("files");
    expect(await run("files", "cat /single/file")).toBe("value-1");
    expect(await run("files", "touch /etc/map-volume/x")).toContain("Read-only file system");
    const account = "/var/run/secrets/kubernetes.io/serviceaccount";
    expect(await run("files", `cat ${account}/namespace`)).toBe("default");
    expect(await run("files", `head -n 1 ${account}/ca.crt`)).toBe("-----BEGIN CERTIFICATE-----\n");
    const token = await run("files", `cat ${account}/token`);
    const review = { apiVersion: "authentication.k8s.io/v1", kind: "TokenReview", spec: { token } };
    const { status } = (await ask("POST", "/apis/authentication.k8s.io/v1/tokenreviews", review)).body;
    expect(status).toMatchObject({ authenticated: true, user: { username: "system:serviceaccount:default:default" } });
    expect(status.user.extra["authentication.kubernetes.io/pod-name"]).toEqual(["files"]);

    await ask("PATCH", `${CORE}/configmaps/changing`, { data: { one: "2", gone: null, new: "n" } });
    await ask("PATCH", `${CORE}/pods/files`, { metadata: { labels: { a: "changed" } } });
    await vi.waitFor(async () => expect(await cat("changing-volume/one")).toBe("2"), SOON);
    expect(await run("files", "ls /etc/changing-volume")).toBe("new\none\n");
    await vi.waitFor(async () => expect(await cat("fields-volume/labels")).toContain('a="changed"'), SOON);
  });

  test("containers share an emptyDir, which stays when one of them starts again", async () => {
    const volumeMounts = [{ name: "v", mountPath: "/v" }];
    const expr = { name: "v", mountPath: "/own", subPathExpr: "of-$(WHO)" };
    const other = { ...container({ volumeMounts }), name: "other" };
    await create("shared", {
      volumes: [{ name: "v", emptyDir: { medium: "Memory", sizeLimit: "1Mi" } }],
      containers: [container({ env: [{ name: "WHO", value: "me" }], volumeMounts: [...volumeMounts, expr] }), other],
    });
    await running("shared");
    const there = `/api/v1/nodes/${pods.nodeName}/proxy/run/default/shared/other?cmd=`;
    await run("shared", "cp /etc/hostname /own/file");
    expect((await ask("POST", `${there}${encodeURIComponent("cat /v/of-me/file")}`)).text).toBe("shared\n");
    expect(await run("shared", "ls -l /")).toMatch(/^drwxrwxrw[xt] .* v$/m);
  });

  test("hosts and resolvers are what the spec says", async () => {
    await create("network", {
      hostname: "host",
      subdomain: "sub",
      hostAliases: [{ ip: "123.45.67.89", hostnames: ["foo", "bar"] }],
      dnsPolicy: "None",
      dnsConfig: { nameservers: ["1.1.1.1"], searches: ["resolv.conf.local"], options: [{ name: "ndots", value: "2" }] },
      containers: [container()],
    });
    await running("network");
    const { podIP } = (await podOf("network")).status;
    const hosts = await run("network", "cat /etc/hosts");
    expect(hosts).toContain(`${podIP}\thost.sub.default.svc.cluster.local\thost\n`);
    expect(hosts).toContain("# Entries added by HostAliases.\n123.45.67.89\tfoo\tbar\n");
    expect(await run("network", "cat /etc/resolv.conf")).toBe("search resolv.conf.local\nnameserver 1.1.1.1\noptions ndots:2\n");
    await create("cluster-dns", { containers: [container()] });
    await running("cluster-dns");
    expect(await run("cluster-dns", "cat /etc/resolv.conf")).toBe(
      "search default.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n",
    );
  });

  test("what is missing holds a container back, and is told", async () => {
    const env = [{ name: "A", valueFrom: { secretKeyRef: { name: "late", key: "k" } } }];
    await create("held-back", { containers: [container({ env })] });
    await create("not-mounted", {
      volumes: [{ name: "v", secret: { secretName: "late" } }],
      containers: [container({ volumeMounts: [{ name: "v", mountPath: "/v" }] })],
    });
    const waiting = async (name: string): Promise<Any> => (await podOf(name)).status.containerStatuses?.[0]?.state.waiting;
    const message = 'secret "late" not found';
    const told = { reason: "CreateContainerConfigError", message };
    await vi.waitFor(async () => expect(await waiting("held-back")).toEqual(told), SOON);
    await vi.waitFor(async () => expect(await events("held-back", "Failed")).toEqual([`Error: ${message}`]), SOON);
    await vi.waitFor(async () => expect(await waiting("not-mounted")).toEqual({ reason: "ContainerCreating" }), SOON);
    const mount = `MountVolume.SetUp failed for volume "v" : ${message}`;
    await vi.waitFor(async () => expect(await events("not-mounted", "FailedMount")).toEqual([mount]), SOON);
    await ask("POST", `${CORE}/secrets`, { metadata: { name: "late" }, data: { k: base64("v") } });
    await Promise.all([running("held-back"), running("not-mounted")]);
    expect((await run("held-back", "env")).split("\n")).toContain("A=v");
  });

  test("a container's last word is its file, or the end of its log after a failure", async () => {
    const ending = async (name: string, script: string, more: object): Promise<Any> => {
      await create(name, { restartPolicy: "Never", containers: [container({ command: ["sh", "-c", script], ...more })] });
      await vi.waitFor(
        async () => expect((await podOf(name)).status.containerStatuses?.[0].state.terminated).toBeDefined(),
        SOON,
      );
      return (await podOf(name)).status.containerStatuses[0].state.terminated;
    };
    const path = { terminationMessagePath: "/dev/termination-custom-log" };
    const fallback = { terminationMessagePolicy: "FallbackToLogsOnError" };
    const [file, log, quiet] = await Promise.all([
      ending("last-file", "echo -n DONE > /dev/termination-custom-log", path),
      ending("last-log", "echo -n LOG; exit 1", fallback),
      ending("last-quiet", "echo -n LOG; exit 0", fallback),
    ]);
    expect([file, log, quiet].map(({ exitCode, message }) => [exitCode, message])).toEqual([
      [0, "DONE"],
      [1, "LOG"],
      [0, undefined],
    ]);
  });
});
