import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

// biome-ignore lint/suspicious/noExplicitAny: objects of the API, in parts.
type Any = any;

/** What a container finds inside, by commands that look. */
export interface InsideCase {
  readonly name: string;
  /** What the pod refers to, by resource and name. */
  readonly objects?: () => Readonly<Record<string, Any>>;
  /** The pod's spec; `container` stands for its one container `c`. */
  readonly spec: () => Any;
  readonly metadata?: Any;
  /** Commands and what they say. */
  readonly finds: Readonly<Record<string, string | RegExp>>;
}

const UNTIL_TOLD = 'trap "exit 143" TERM; while :; do sleep 0.1; done';
const MODE_AND_OWNER = "stat -c '%a %u:%g'";

/**
 * What upstream's conformance tests of volumes, files and security contexts look for (test/e2e/common/{storage,node}).
 * `root`: a folder of the node that the cases may use.
 */
export function insideCases(root: string): readonly InsideCase[] {
  const folder = (name: string): string => {
    const path = join(root, name);
    mkdirSync(path, { recursive: true });
    return path;
  };
  return [...emptyDirs(), ...filesOfTheApi(), ...ofTheNode(folder), ...network(), ...security()];
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

function on(...volumeMounts: Any[]): Any {
  return { volumeMounts };
}

function at(name: string, more: Any = {}): Any {
  return { name, mountPath: `/mnt/${name}`, ...more };
}

/** A claim with the volume that it is bound to. */
function claimed(volume: string, claim: string, source: Any): Record<string, Any> {
  const common = { accessModes: ["ReadWriteOnce"], storageClassName: "" };
  return {
    [`persistentvolumes/${volume}`]: {
      spec: { ...common, capacity: { storage: "1Gi" }, claimRef: { namespace: "default", name: claim }, ...source },
    },
    [`persistentvolumeclaims/${claim}`]: {
      spec: { ...common, volumeName: volume, resources: { requests: { storage: "1Gi" } } },
    },
  };
}

function emptyDirs(): readonly InsideCase[] {
  return [
    {
      name: "emptyDir on disk is open to all, whoever they are",
      spec: () => ({
        volumes: [{ name: "v", emptyDir: {} }],
        securityContext: { runAsUser: 1001 },
        container: on(at("v")),
      }),
      finds: {
        [`${MODE_AND_OWNER} /mnt/v`]: "777 0:0",
        [`echo hi > /mnt/v/f && ${MODE_AND_OWNER} /mnt/v/f`]: "644 1001:0",
        "grep -c ' /mnt/v tmpfs' /proc/mounts": "0",
      },
    },
    {
      name: "emptyDir in memory has its size, and takes no more",
      spec: () => ({ volumes: [{ name: "v", emptyDir: { medium: "Memory", sizeLimit: "1Mi" } }], container: on(at("v")) }),
      finds: {
        "grep ' /mnt/v ' /proc/mounts": /^tmpfs \/mnt\/v tmpfs rw,relatime,size=1024k/,
        [`${MODE_AND_OWNER} /mnt/v`]: "1777 0:0",
        "dd if=/dev/zero of=/mnt/v/f bs=1M count=2 2>&1 | head -1": /No space left on device/,
      },
    },
    {
      name: "emptyDir belongs to the pod's group",
      spec: () => ({
        volumes: [
          { name: "disk", emptyDir: {} },
          { name: "memory", emptyDir: { medium: "Memory" } },
        ],
        securityContext: { runAsUser: 1001, runAsGroup: 2002, fsGroup: 123, supplementalGroups: [77] },
        container: on(at("disk"), at("memory")),
      }),
      finds: {
        [`${MODE_AND_OWNER} /mnt/disk /mnt/memory`]: "2777 0:123\n3777 0:123",
        [`umask 007; echo > /mnt/disk/f; ${MODE_AND_OWNER} /mnt/disk/f`]: "660 1001:123",
        id: /^uid=1001.* gid=2002.* groups=.*77.*123|^uid=1001.* gid=2002.* groups=.*123.*77/,
      },
    },
    {
      name: "containers of a pod share a volume",
      spec: () => ({
        volumes: [{ name: "v", emptyDir: {} }],
        containers: [
          { name: "c", ...on(at("v", { readOnly: true })) },
          { name: "writer", command: ["sh", "-c", `echo written > /mnt/v/f; ${UNTIL_TOLD}`], ...on(at("v")) },
        ],
      }),
      finds: {
        "while [ ! -s /mnt/v/f ]; do sleep 0.1; done; cat /mnt/v/f": "written",
        "echo x > /mnt/v/f || true": /Read-only file system/,
      },
    },
  ];
}

function filesOfTheApi(): readonly InsideCase[] {
  return [
    {
      name: "a ConfigMap's files, with paths and modes",
      objects: () => ({
        "configmaps/map": {
          data: { "data-1": "value-1", "data-2": "value-2" },
          binaryData: { dump: Buffer.of(0xde, 0xca).toString("base64") },
        },
      }),
      spec: () => ({
        volumes: [
          { name: "all", configMap: { name: "map", defaultMode: 0o644 } },
          {
            name: "part",
            configMap: { name: "map", defaultMode: 0o400, items: [{ key: "data-2", path: "path/to/data-2", mode: 0o440 }] },
          },
        ],
        container: on(at("all"), at("part")),
      }),
      finds: {
        "cat /mnt/all/data-1; readlink /mnt/all/data-1": "value-1..data/data-1",
        "od -An -tx1 /mnt/all/dump": "de ca",
        "cat /mnt/part/path/to/data-2": "value-2",
        "ls /mnt/part": "path",
        [`${MODE_AND_OWNER} -L /mnt/part/path/to/data-2 /mnt/all/data-1`]: "440 0:0\n644 0:0",
        "echo x > /mnt/all/data-1 || true": /Read-only file system/,
      },
    },
    {
      name: "a Secret's files are in memory, and for the pod's group to read",
      objects: () => ({ "secrets/sec": { data: { "data-1": base64("secret-1\n") } } }),
      spec: () => ({
        volumes: [{ name: "v", secret: { secretName: "sec", defaultMode: 0o400 } }],
        securityContext: { runAsUser: 1000, fsGroup: 1001 },
        container: on(at("v")),
      }),
      finds: {
        "cat /mnt/v/data-1": "secret-1",
        [`${MODE_AND_OWNER} -L /mnt/v/data-1`]: "440 0:1001",
        "grep -c ' /mnt/v tmpfs ro' /proc/mounts": "1",
      },
    },
    {
      name: "what is optional and not there is empty",
      spec: () => ({
        volumes: [
          { name: "map", configMap: { name: "none", optional: true } },
          { name: "sec", secret: { secretName: "none", optional: true } },
        ],
        container: on(at("map"), at("sec")),
      }),
      finds: { "ls /mnt/map /mnt/sec | grep -v :": "" },
    },
    {
      name: "projected: all sources in one volume",
      objects: () => ({ "configmaps/pm": { data: { m: "from map" } }, "secrets/ps": { data: { s: base64("from secret") } } }),
      metadata: { labels: { app: "web", tier: "front" }, annotations: { note: 'a "quote"' } },
      spec: () => ({
        volumes: [
          {
            name: "v",
            projected: {
              defaultMode: 0o444,
              sources: [
                { configMap: { name: "pm", items: [{ key: "m", path: "x/m" }] } },
                { secret: { name: "ps", items: [{ key: "s", path: "x/s", mode: 0o400 }] } },
                {
                  downwardAPI: {
                    items: [
                      { path: "labels", fieldRef: { fieldPath: "metadata.labels" } },
                      { path: "annotations", fieldRef: { fieldPath: "metadata.annotations" } },
                      { path: "cpu", resourceFieldRef: { containerName: "c", resource: "limits.cpu" } },
                    ],
                  },
                },
                { serviceAccountToken: { path: "token", audience: "vault" } },
              ],
            },
          },
        ],
        container: on(at("v")),
      }),
      finds: {
        "cat /mnt/v/x/m; echo; cat /mnt/v/x/s": "from map\nfrom secret",
        "cat /mnt/v/labels": 'app="web"\ntier="front"',
        "grep note /mnt/v/annotations": 'note="a \\"quote\\""',
        "cat /mnt/v/cpu; echo; cat /mnt/v/token": /^8\neyJ/,
        [`${MODE_AND_OWNER} -L /mnt/v/x/s /mnt/v/token`]: "400 0:0\n444 0:0",
      },
    },
    {
      name: "a token belongs to the pod's user and nobody else",
      spec: () => ({
        volumes: [{ name: "v", projected: { defaultMode: 0o644, sources: [{ serviceAccountToken: { path: "token" } }] } }],
        securityContext: { runAsUser: 1234 },
        container: on(at("v")),
      }),
      finds: { [`${MODE_AND_OWNER} -L /mnt/v/token; cat /mnt/v/token`]: /^600 1234:0\neyJ/ },
    },
    {
      name: "parts of volumes: a folder that is made, a file, and by a variable",
      objects: () => ({ "configmaps/sub": { data: { "app.conf": "on" } } }),
      spec: () => ({
        volumes: [
          { name: "v", emptyDir: {} },
          { name: "map", configMap: { name: "sub" } },
        ],
        container: {
          env: [{ name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }],
          ...on(
            at("v"),
            at("v", { mountPath: "/sub", subPath: "made/here" }),
            at("v", { mountPath: "/named", subPathExpr: "$(POD_NAME)" }),
            at("map", { mountPath: "/etc/app.conf", subPath: "app.conf" }),
          ),
        },
      }),
      finds: {
        "echo 1 > /sub/f; cat /mnt/v/made/here/f": "1",
        [`${MODE_AND_OWNER} /sub /named`]: "777 0:0\n777 0:0",
        "ls -d /mnt/v/in-*": /^\/mnt\/v\/in-\d+$/,
        "cat /etc/app.conf": "on",
      },
    },
  ];
}

function ofTheNode(folder: (name: string) => string): readonly InsideCase[] {
  return [
    {
      name: "hostPath: what the node has, whether it is only read or not",
      spec: () => {
        writeFileSync(join(folder("host"), "f"), "of the node");
        return {
          volumes: [
            { name: "v", hostPath: { path: folder("host"), type: "Directory" } },
            { name: "made", hostPath: { path: join(folder("host"), "made"), type: "DirectoryOrCreate" } },
            { name: "dev", hostPath: { path: "/dev/null", type: "CharDevice" } },
          ],
          container: on(at("v", { readOnly: true }), at("made"), at("dev", { mountPath: "/mnt/null" })),
        };
      },
      finds: {
        "cat /mnt/v/f; echo x > /mnt/v/f || true": /^of the node.*Read-only file system/s,
        "echo 1 > /mnt/made/g; cat /mnt/v/made/g": "1",
        "test -c /mnt/null && echo device": "device",
      },
    },
    {
      name: "a local volume of a claim, for the pod's group",
      objects: () => ({
        ...claimed("disk", "data", {
          local: { path: folder("disk") },
          nodeAffinity: {
            required: { nodeSelectorTerms: [{ matchExpressions: [{ key: "kubernetes.io/hostname", operator: "Exists" }] }] },
          },
        }),
      }),
      spec: () => ({
        volumes: [{ name: "v", persistentVolumeClaim: { claimName: "data" } }],
        securityContext: { fsGroup: 4321 },
        container: on(at("v"), at("v", { mountPath: "/part", subPath: "part" })),
      }),
      finds: {
        "echo kept > /part/f; cat /mnt/v/part/f": "kept",
        "stat -c %g /mnt/v": "4321",
      },
    },
    {
      name: "a hostPath volume of a claim that is only read",
      objects: () => ({
        ...claimed("shelf", "ro", { hostPath: { path: folder("disk-2") } }),
      }),
      spec: () => ({
        volumes: [{ name: "v", persistentVolumeClaim: { claimName: "ro", readOnly: true } }],
        container: on(at("v")),
      }),
      finds: { "echo x > /mnt/v/f || true": /Read-only file system/ },
    },
  ];
}

function network(): readonly InsideCase[] {
  return [
    {
      name: "/etc/hosts, with a domain and aliases; /etc/resolv.conf; the name",
      spec: () => ({
        hostname: "front",
        subdomain: "sub",
        setHostnameAsFQDN: true,
        hostAliases: [{ ip: "123.45.67.89", hostnames: ["foo", "bar"] }],
        dnsConfig: { nameservers: ["1.1.1.1"], searches: ["example.com"], options: [{ name: "ndots", value: "2" }] },
        container: {},
      }),
      finds: {
        "head -1 /etc/hosts": "# Kubernetes-managed hosts file.",
        "grep front /etc/hosts": /^10\.253\.\d+\.\d+\tfront\.sub\.default\.svc\.cluster\.local\tfront$/,
        "tail -2 /etc/hosts": "# Entries added by HostAliases.\n123.45.67.89\tfoo\tbar",
        "cat /etc/resolv.conf":
          "search default.svc.cluster.local svc.cluster.local cluster.local example.com\nnameserver 10.96.0.10\nnameserver 1.1.1.1\noptions ndots:2",
        hostname: "front.sub.default.svc.cluster.local",
      },
    },
    {
      name: "/etc/hosts of the node's network is the node's",
      spec: () => ({ hostNetwork: true, container: {} }),
      finds: { "head -1 /etc/hosts; grep -c localhost /etc/hosts": /^# Kubernetes-managed hosts file \(host network\)\.\n[1-9]/ },
    },
    {
      name: "/etc/hosts that the container mounts itself is left alone",
      objects: () => ({ "configmaps/hosts": { data: { hosts: "own" } } }),
      spec: () => ({
        volumes: [{ name: "v", configMap: { name: "hosts" } }],
        container: on(at("v", { mountPath: "/etc/hosts", subPath: "hosts" })),
      }),
      finds: { "cat /etc/hosts": "own" },
    },
  ];
}

function security(): readonly InsideCase[] {
  return [
    {
      name: "users, groups, and a root that is only read",
      spec: () => ({
        container: { securityContext: { runAsUser: 65534, runAsGroup: 2, readOnlyRootFilesystem: true } },
      }),
      finds: { "id -u; id -g": "65534\n2", "echo > /tmp/f || true": /Read-only file system|Permission denied/ },
    },
    {
      name: "privileges cannot be gained, and capabilities are as asked",
      spec: () => ({
        container: {
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"], add: ["NET_BIND_SERVICE"] } },
        },
      }),
      finds: { "grep -E 'NoNewPrivs|CapEff' /proc/1/status": "CapEff:\t0000000000000400\nNoNewPrivs:\t1" },
    },
    {
      name: "by default capabilities are the runtime's, and /proc is masked",
      spec: () => ({ container: {} }),
      finds: {
        "grep -E 'NoNewPrivs|CapEff' /proc/1/status": "CapEff:\t00000000a80425fb\nNoNewPrivs:\t0",
        "cat /proc/keys | wc -c; echo 1 2>&1 > /proc/sys/kernel/domainname || true": /^0\n.*Read-only file system/s,
      },
    },
    {
      name: "a privileged container may do all",
      spec: () => ({ container: { securityContext: { privileged: true } } }),
      finds: { "mount -t tmpfs none /tmp && grep -c ' /tmp tmpfs' /proc/mounts": "1" },
    },
    {
      name: "seccomp: the runtime's profile, when it is asked for",
      spec: () => ({ securityContext: { seccompProfile: { type: "RuntimeDefault" } }, container: {} }),
      finds: { "grep Seccomp: /proc/1/status": "Seccomp:\t2" },
    },
    {
      name: "settings of the kernel",
      spec: () => ({ securityContext: { sysctls: [{ name: "kernel.shm_rmid_forced", value: "1" }] }, container: {} }),
      finds: { "cat /proc/sys/kernel/shm_rmid_forced": "1" },
    },
  ];
}
