import { describe, expect, test } from "vitest";
import type { Container, PodSpec } from "#api/generated/core/v1.ts";
import { evaluatePod, podSecurityChecks, violationDetails } from "./evaluator.ts";
import type { Level, LevelVersion, Version } from "./policy.ts";

const hardened = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
  runAsNonRoot: true,
  seccompProfile: { type: "RuntimeDefault" },
};
const container = (securityContext: object = {}, more: object = {}, name = "a"): Container =>
  ({ name, securityContext: { ...hardened, ...securityContext }, ...more }) as Container;
const spec = (containers: readonly Container[], more: object = {}): PodSpec => ({ containers, ...more }) as PodSpec;

function judge(level: Level, pod: PodSpec, annotations: Record<string, string> = {}, version: Version = "latest"): string {
  const asked: LevelVersion = { level, version };
  return violationDetails(evaluatePod(asked, { annotations, spec: pod }));
}

interface Case {
  readonly name: string;
  readonly pod: PodSpec;
  readonly annotations?: Record<string, string>;
  readonly version?: Version;
  /** What both levels say, or the strict one alone. */
  readonly baseline?: string;
  readonly restricted?: string;
}

const ok = "";
const same = (text: string): Pick<Case, "baseline" | "restricted"> => ({ baseline: text, restricted: text });

const controls: Record<string, readonly Case[]> = {
  hostNamespaces: [
    { name: "one", pod: spec([container()], { hostNetwork: true }), ...same("host namespaces (hostNetwork=true)") },
    {
      name: "all",
      pod: spec([container()], { hostIPC: true, hostPID: true, hostNetwork: true }),
      ...same("host namespaces (hostNetwork=true, hostPID=true, hostIPC=true)"),
    },
    { name: "said not to", pod: spec([container()], { hostNetwork: false }), ...same(ok) },
  ],
  hostPathVolumes: [
    {
      name: "one",
      pod: spec([container()], { volumes: [{ name: "h", hostPath: { path: "/" } }] }),
      baseline: 'hostPath volumes (volume "h")',
      restricted: 'restricted volume types (volume "h" uses restricted volume type "hostPath")',
    },
    {
      name: "two",
      pod: spec([container()], {
        volumes: [
          { name: "h", hostPath: { path: "/" } },
          { name: "i", hostPath: { path: "/" } },
        ],
      }),
      baseline: 'hostPath volumes (volumes "h", "i")',
      restricted: 'restricted volume types (volumes "h", "i" use restricted volume type "hostPath")',
    },
  ],
  hostPorts: [
    {
      name: "none",
      pod: spec([container({}, { ports: [{ containerPort: 80 }, { containerPort: 81, hostPort: 0 }] })]),
      ...same(ok),
    },
    {
      name: "two of one container",
      pod: spec([container({}, { ports: [{ hostPort: 9 }, { hostPort: 10 }] })]),
      ...same('hostPort (container "a" uses hostPorts 10, 9)'),
    },
    {
      name: "one of two containers",
      pod: spec([container({}, { ports: [{ hostPort: 9 }] }), container({}, { ports: [{ hostPort: 9 }] }, "b")]),
      ...same('hostPort (containers "a", "b" use hostPort 9)'),
    },
  ],
  hostProbesAndHostLifecycle: [
    {
      name: "a probe",
      pod: spec([container({}, { livenessProbe: { httpGet: { host: "h" } } })]),
      ...same('probe or lifecycle host (container "a" uses probe or lifecycle host "h")'),
    },
    {
      name: "every place",
      pod: spec([
        container({}, { readinessProbe: { tcpSocket: { host: "b" } }, startupProbe: { httpGet: { host: "c" } } }, "y"),
        container({}, { lifecycle: { postStart: { httpGet: { host: "a" } }, preStop: { tcpSocket: { host: "d" } } } }, "x"),
      ]),
      ...same('probe or lifecycle host (containers "x", "y" use probe or lifecycle hosts "a", "b", "c", "d")'),
    },
    { name: "an empty host", pod: spec([container({}, { livenessProbe: { httpGet: { host: "" } } })]), ...same(ok) },
    { name: "before v1.34", version: 33, pod: spec([container({}, { livenessProbe: { httpGet: { host: "h" } } })]), ...same(ok) },
  ],
  windowsHostProcess: [
    {
      name: "pod and container",
      pod: spec([container({ windowsOptions: { hostProcess: true } })], {
        securityContext: { windowsOptions: { hostProcess: true } },
      }),
      ...same('hostProcess (pod and container "a" must not set securityContext.windowsOptions.hostProcess=true)'),
    },
    { name: "said not to", pod: spec([container({ windowsOptions: { hostProcess: false } })]), ...same(ok) },
  ],
  privileged: [
    {
      name: "an init container",
      pod: spec([container()], { initContainers: [container({ privileged: true }, {}, "i")] }),
      ...same('privileged (container "i" must not set securityContext.privileged=true)'),
    },
    {
      name: "an ephemeral container",
      pod: spec([container()], { ephemeralContainers: [container({ privileged: true }, {}, "e")] }),
      ...same('privileged (container "e" must not set securityContext.privileged=true)'),
    },
    { name: "said not to", pod: spec([container({ privileged: false })]), ...same(ok) },
  ],
  allowPrivilegeEscalation: [
    {
      name: "not said",
      pod: spec([container({ allowPrivilegeEscalation: undefined })]),
      baseline: ok,
      restricted: 'allowPrivilegeEscalation != false (container "a" must set securityContext.allowPrivilegeEscalation=false)',
    },
    {
      name: "allowed in two",
      pod: spec([container({ allowPrivilegeEscalation: true }), container({ allowPrivilegeEscalation: true }, {}, "b")]),
      baseline: ok,
      restricted:
        'allowPrivilegeEscalation != false (containers "a", "b" must set securityContext.allowPrivilegeEscalation=false)',
    },
    {
      name: "on Windows",
      pod: spec([container({ allowPrivilegeEscalation: true })], { os: { name: "windows" } }),
      restricted: ok,
    },
    {
      name: "on Windows before v1.25",
      version: 24,
      pod: spec([container({ allowPrivilegeEscalation: true })], { os: { name: "windows" } }),
      restricted: 'allowPrivilegeEscalation != false (container "a" must set securityContext.allowPrivilegeEscalation=false)',
    },
    { name: "before v1.8", version: 7, pod: spec([container({ allowPrivilegeEscalation: true })]), restricted: ok },
  ],
  capabilities_baseline: [
    {
      name: "beyond the default",
      pod: spec([container({ capabilities: { drop: ["ALL"], add: ["SYS_ADMIN", "NET_RAW", "CHOWN"] } })]),
      baseline:
        'non-default capabilities (container "a" must not include "NET_RAW", "SYS_ADMIN" in securityContext.capabilities.add)',
      restricted:
        'unrestricted capabilities (container "a" must not include "CHOWN", "NET_RAW", "SYS_ADMIN" in securityContext.capabilities.add)',
    },
    {
      name: "before v1.22 the restricted level knows no other rule",
      version: 21,
      pod: spec([container({ capabilities: { add: ["NET_RAW"] } })]),
      ...same('non-default capabilities (container "a" must not include "NET_RAW" in securityContext.capabilities.add)'),
    },
  ],
  capabilities_restricted: [
    {
      name: "nothing dropped",
      pod: spec([container({ capabilities: undefined }), container({ capabilities: { drop: ["CHOWN"] } }, {}, "b")]),
      baseline: ok,
      restricted: 'unrestricted capabilities (containers "a", "b" must set securityContext.capabilities.drop=["ALL"])',
    },
    {
      name: "nothing dropped and something added",
      pod: spec([container({ capabilities: { add: ["CHOWN"] } })]),
      baseline: ok,
      restricted:
        'unrestricted capabilities (container "a" must set securityContext.capabilities.drop=["ALL"]; container "a" must not include "CHOWN" in securityContext.capabilities.add)',
    },
    {
      name: "the one that may be added",
      pod: spec([container({ capabilities: { drop: ["ALL"], add: ["NET_BIND_SERVICE"] } })]),
      ...same(ok),
    },
    { name: "on Windows", pod: spec([container({ capabilities: {} })], { os: { name: "windows" } }), restricted: ok },
  ],
  appArmorProfile: [
    {
      name: "pod and container",
      pod: spec([container({ appArmorProfile: { type: "Unconfined" } })], {
        securityContext: { appArmorProfile: { type: "Odd" } },
      }),
      ...same('forbidden AppArmor profiles (pod and container "a" must not set AppArmor profile type to "Odd", "Unconfined")'),
    },
    {
      name: "annotations",
      pod: spec([container()]),
      annotations: {
        "container.apparmor.security.beta.kubernetes.io/b": "unconfined",
        "container.apparmor.security.beta.kubernetes.io/a": "localhost/x",
        "container.apparmor.security.beta.kubernetes.io/c": "",
        "container.apparmor.security.beta.kubernetes.io/d": "runtime/default",
      },
      ...same(
        'forbidden AppArmor profile (annotation must not set AppArmor profile type to "container.apparmor.security.beta.kubernetes.io/b="unconfined"")',
      ),
    },
    { name: "the node's own", pod: spec([container({ appArmorProfile: { type: "Localhost" } })]), ...same(ok) },
  ],
  seccompProfile: [
    {
      name: "unconfined",
      pod: spec([container({ seccompProfile: { type: "Unconfined" } })], {
        securityContext: { seccompProfile: { type: "Unconfined" } },
      }),
      ...same('seccompProfile (pod and container "a" must not set securityContext.seccompProfile.type to "Unconfined")'),
    },
    {
      name: "not said",
      pod: spec([container({ seccompProfile: undefined })]),
      baseline: ok,
      restricted:
        'seccompProfile (pod or container "a" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
    },
    {
      name: "said for all",
      pod: spec([container({ seccompProfile: undefined })], { securityContext: { seccompProfile: { type: "Localhost" } } }),
      ...same(ok),
    },
    {
      name: "annotations before v1.19",
      version: 18,
      pod: spec([container({ seccompProfile: { type: "Unconfined" } })]),
      annotations: {
        "seccomp.security.alpha.kubernetes.io/pod": "unconfined",
        "container.seccomp.security.alpha.kubernetes.io/a": "docker/default",
        "container.seccomp.security.alpha.kubernetes.io/other": "unconfined",
      },
      ...same('seccompProfile (forbidden annotation seccomp.security.alpha.kubernetes.io/pod="unconfined")'),
    },
    { name: "on Windows", pod: spec([container({ seccompProfile: undefined })], { os: { name: "windows" } }), restricted: ok },
  ],
  seLinuxOptions: [
    {
      name: "type, user and role",
      pod: spec([container({ seLinuxOptions: { type: "x_t", user: "u" } })], {
        securityContext: { seLinuxOptions: { role: "r", type: "a_t" } },
      }),
      ...same(
        'seLinuxOptions (pod and container "a" set forbidden securityContext.seLinuxOptions: types "a_t", "x_t"; user may not be set; role may not be set)',
      ),
    },
    {
      name: "allowed types",
      pod: spec([container({ seLinuxOptions: { type: "container_engine_t", level: "s0" } })]),
      ...same(ok),
    },
    {
      name: "the engine's type before v1.31",
      version: 30,
      pod: spec([container({ seLinuxOptions: { type: "container_engine_t" } })]),
      ...same('seLinuxOptions (container "a" set forbidden securityContext.seLinuxOptions: type "container_engine_t")'),
    },
  ],
  procMount: [
    {
      name: "unmasked",
      pod: spec([container({ procMount: "Unmasked" })]),
      ...same('procMount (container "a" must not set securityContext.procMount to "Unmasked")'),
    },
    {
      name: "in a user namespace",
      pod: spec([container({ procMount: "Unmasked" })], { hostUsers: false }),
      baseline: ok,
      restricted: 'procMount (container "a" must not set securityContext.procMount to "Unmasked")',
    },
    {
      name: "in a user namespace before v1.35",
      version: 34,
      pod: spec([container({ procMount: "Unmasked" })], { hostUsers: false }),
      ...same('procMount (container "a" must not set securityContext.procMount to "Unmasked")'),
    },
  ],
  sysctls: [
    {
      name: "unsafe ones, as they come",
      pod: spec([container()], {
        securityContext: { sysctls: [{ name: "z" }, { name: "net.ipv4.tcp_rmem" }, { name: "kernel.msgmax" }] },
      }),
      ...same("forbidden sysctls (z, kernel.msgmax)"),
    },
    ...[
      ["net.ipv4.ip_local_reserved_ports", 27],
      ["net.ipv4.tcp_fin_timeout", 29],
      ["net.ipv4.tcp_wmem", 32],
    ].flatMap(([name, since]) => {
      const pod = spec([container()], { securityContext: { sysctls: [{ name }] } });
      return [
        { name: `${name} before v1.${since}`, version: Number(since) - 1, pod, ...same(`forbidden sysctls (${name})`) },
        { name: `${name} since v1.${since}`, version: Number(since), pod, ...same(ok) },
      ];
    }),
  ],
  restrictedVolumes: [
    {
      name: "every allowed source",
      pod: spec([container()], {
        volumes: [
          "configMap",
          "csi",
          "downwardAPI",
          "emptyDir",
          "ephemeral",
          "image",
          "persistentVolumeClaim",
          "projected",
          "secret",
        ].map((source) => ({ name: source, [source]: {} })),
      }),
      ...same(ok),
    },
    {
      name: "others",
      pod: spec([container()], {
        volumes: [
          { name: "n", nfs: {} },
          { name: "i", iscsi: {} },
          { name: "x", madeUp: {} },
        ],
      }),
      baseline: ok,
      restricted: 'restricted volume types (volumes "n", "i", "x" use restricted volume types "iscsi", "nfs", "unknown")',
    },
  ],
  runAsNonRoot: [
    {
      name: "not said",
      pod: spec([container({ runAsNonRoot: undefined })]),
      baseline: ok,
      restricted: 'runAsNonRoot != true (pod or container "a" must set securityContext.runAsNonRoot=true)',
    },
    {
      name: "said for all",
      pod: spec([container({ runAsNonRoot: undefined })], { securityContext: { runAsNonRoot: true } }),
      restricted: ok,
    },
    {
      name: "denied",
      pod: spec([container({ runAsNonRoot: false })], { securityContext: { runAsNonRoot: false } }),
      restricted: 'runAsNonRoot != true (pod and container "a" must not set securityContext.runAsNonRoot=false)',
    },
    { name: "in a user namespace", pod: spec([container({ runAsNonRoot: false })], { hostUsers: false }), restricted: ok },
    {
      name: "in a user namespace before v1.35",
      version: 34,
      pod: spec([container({ runAsNonRoot: false })], { hostUsers: false }),
      restricted: 'runAsNonRoot != true (container "a" must not set securityContext.runAsNonRoot=false)',
    },
  ],
  runAsUser: [
    {
      name: "root",
      pod: spec([container({ runAsUser: 0 })], { securityContext: { runAsUser: 0 } }),
      baseline: ok,
      restricted: 'runAsUser=0 (pod and container "a" must not set runAsUser=0)',
    },
    { name: "another", pod: spec([container({ runAsUser: 1 })]), restricted: ok },
    { name: "before v1.23", version: 22, pod: spec([container({ runAsUser: 0 })]), restricted: ok },
    { name: "in a user namespace", pod: spec([container({ runAsUser: 0 })], { hostUsers: false }), restricted: ok },
  ],
};

describe.each(Object.entries(controls))("%s", (_control, cases) => {
  test.each(cases)("$name", ({ pod, annotations, version, baseline, restricted }) => {
    expect(judge("privileged", pod, annotations, version)).toBe("");
    if (baseline !== undefined) expect(judge("baseline", pod, annotations, version)).toBe(baseline);
    if (restricted !== undefined) expect(judge("restricted", pod, annotations, version)).toBe(restricted);
  });
});

test("every control has its cases", () => {
  const ids = new Set(podSecurityChecks.map(({ id }) => id.replace(/^(seccompProfile|procMount)_.*/, "$1")));
  expect([...ids].sort()).toEqual(Object.keys(controls).sort());
});

test("violations come by level and then by the control's id", () => {
  const pod = spec([{ name: "a", securityContext: { privileged: true } } as Container], { hostPID: true });
  expect(
    judge("restricted", pod)
      .match(/(?:^|\), )[^(]+(?= \()/g)
      ?.map((text) => text.replace("), ", "")),
  ).toEqual([
    "host namespaces",
    "privileged",
    "allowPrivilegeEscalation != false",
    "unrestricted capabilities",
    "runAsNonRoot != true",
    "seccompProfile",
  ]);
});

test("releases to come judge as the newest that is known", () => {
  const pod = spec([container({}, { livenessProbe: { httpGet: { host: "h" } } })]);
  expect(judge("baseline", pod, {}, 9_000)).toBe(judge("baseline", pod));
});
