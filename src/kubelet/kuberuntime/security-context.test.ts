import { describe, expect, test } from "vitest";
import type { Container, Pod } from "#api/generated/core/v1.ts";
import { imageUserOf, verifyRunAsNonRoot } from "./run-as-non-root.ts";
import { containerSecurityContext, sandboxSecurityContext, sandboxSysctls } from "./security-context.ts";
import { appArmorRejection } from "./security-profiles.ts";

const SETTINGS = { seccompRoot: "/var/lib/kubelet/seccomp", seccompDefault: false };

function podOf(container: object = {}, podContext: object | undefined = {}, spec: object = {}): Pod {
  const own = { name: "app", ...container };
  const metadata = {
    name: "web",
    namespace: "shop",
    uid: "u-1",
    ...("annotations" in spec ? { annotations: spec.annotations } : {}),
  };
  return { metadata, spec: { containers: [own], securityContext: podContext, ...spec } } as unknown as Pod;
}
const first = ({ spec }: Pod): Container => spec.containers[0] as Container;

describe("runAsNonRoot", () => {
  const where = '(pod: "web_shop(u-1)", container: app)';
  test.each([
    { name: "nothing asked", context: {}, image: { uid: 0 }, want: undefined },
    { name: "not asked", context: { runAsNonRoot: false }, image: { uid: 0 }, want: undefined },
    {
      name: "runAsUser 0",
      context: { runAsNonRoot: true, runAsUser: 0 },
      image: { uid: 5 },
      want: `container's runAsUser breaks non-root policy ${where}`,
    },
    { name: "another runAsUser", context: { runAsNonRoot: true, runAsUser: 7 }, image: { uid: 0 }, want: undefined },
    {
      name: "image of root",
      context: { runAsNonRoot: true },
      image: { uid: 0 },
      want: `container has runAsNonRoot and image will run as root ${where}`,
    },
    { name: "image of another", context: { runAsNonRoot: true }, image: { uid: 1000 }, want: undefined },
    {
      name: "image with a name",
      context: { runAsNonRoot: true },
      image: { username: "nginx" },
      want: `container has runAsNonRoot and image has non-numeric user (nginx), cannot verify user is non-root ${where}`,
    },
    {
      name: "image with too large a number",
      context: { runAsNonRoot: true },
      image: { uid: 2147483648 },
      want: `container has runAsNonRoot and image has an invalid user id (2147483648). (Must be 1-(2147483647)): must be between 0 and 2147483647, inclusive ${where}`,
    },
  ])("$name", ({ context, image, want }) => {
    const byContainer = podOf({ securityContext: context });
    expect(verifyRunAsNonRoot(byContainer, first(byContainer), image)).toBe(want);
    const byPod = podOf({}, context);
    expect(verifyRunAsNonRoot(byPod, first(byPod), image)).toBe(want);
  });
});

test.each([
  { image: undefined, want: { uid: 0 } },
  { image: { username: "" }, want: { uid: 0 } },
  { image: { uid: 5, username: "" }, want: { uid: 5, username: "" } },
  { image: { username: "nginx" }, want: { uid: undefined, username: "nginx" } },
])("an image with $image runs as $want", ({ image, want }) => expect(imageUserOf(image)).toEqual(want));

describe("a container's security context", () => {
  test.each([
    {
      name: "by default root is what the image says, nothing is confined, and no one gains privileges less than before",
      container: {},
      want: { runAsUser: 0, noNewPrivs: false, seccomp: { profileType: "Unconfined" } },
    },
    {
      name: "the container's user wins over the pod's, and the image's name counts no more",
      container: { securityContext: { runAsUser: 7, runAsGroup: 8 } },
      pod: { runAsUser: 5, runAsGroup: 6 },
      image: { username: "nginx" },
      want: { runAsUser: 7, runAsGroup: 8 },
      not: ["runAsUsername"],
    },
    {
      name: "an image's user by name",
      container: {},
      image: { username: "nginx" },
      want: { runAsUsername: "nginx" },
      not: ["runAsUser"],
    },
    {
      name: "capabilities, read-only root, no escalation",
      container: {
        securityContext: {
          capabilities: { add: ["NET_ADMIN"], drop: ["ALL"] },
          readOnlyRootFilesystem: true,
          allowPrivilegeEscalation: false,
          privileged: false,
        },
      },
      want: {
        capabilities: { addCapabilities: ["NET_ADMIN"], dropCapabilities: ["ALL"] },
        readonlyRootfs: true,
        noNewPrivs: true,
        privileged: false,
      },
    },
    {
      name: "groups: fsGroup, supplementalGroups",
      container: {},
      pod: { fsGroup: 1234, supplementalGroups: [5, 6], supplementalGroupsPolicy: "Strict" },
      want: { supplementalGroups: [1234, 5, 6], supplementalGroupsPolicy: "Strict" },
    },
    {
      name: "seccomp of the pod, from a file of the node",
      container: {},
      pod: { seccompProfile: { type: "Localhost", localhostProfile: "profiles/audit.json" } },
      want: { seccomp: { profileType: "Localhost", localhostRef: "/var/lib/kubelet/seccomp/profiles/audit.json" } },
    },
    {
      name: "seccomp of the container wins",
      container: { securityContext: { seccompProfile: { type: "Unconfined" } } },
      pod: { seccompProfile: { type: "RuntimeDefault" } },
      want: { seccomp: { profileType: "Unconfined" } },
    },
    {
      name: "AppArmor of the pod",
      container: {},
      pod: { appArmorProfile: { type: "Localhost", localhostProfile: "k8s-deny" } },
      want: { apparmor: { profileType: "Localhost", localhostRef: "k8s-deny" } },
    },
    {
      name: "AppArmor of an annotation",
      container: {},
      spec: { annotations: { "container.apparmor.security.beta.kubernetes.io/app": "localhost/old" } },
      want: { apparmor: { profileType: "Localhost", localhostRef: "old" } },
    },
    {
      name: "SELinux",
      container: { securityContext: { seLinuxOptions: { level: "s0:c1,c2" } } },
      want: { selinuxOptions: { level: "s0:c1,c2" } },
    },
    {
      name: "an unmasked /proc",
      container: { securityContext: { procMount: "Unmasked" } },
      want: { maskedPaths: [], readonlyPaths: [] },
    },
    {
      name: "the namespaces of the node",
      container: {},
      spec: { hostNetwork: true, hostPID: true, hostIPC: true },
      want: { namespaceOptions: { network: "NODE", pid: "NODE", ipc: "NODE", usernsOptions: { mode: "NODE" } } },
    },
    {
      name: "shared processes",
      container: {},
      spec: { shareProcessNamespace: true },
      want: { namespaceOptions: { network: "POD", pid: "POD", ipc: "POD", usernsOptions: { mode: "NODE" } } },
    },
  ] as {
    name: string;
    container: object;
    pod?: object;
    spec?: object;
    image?: { uid?: number; username?: string };
    want: object;
    not?: string[];
  }[])("$name", ({ container, pod: context, spec, image = { uid: 0 }, want, not = [] }) => {
    const pod = podOf(container, context, spec);
    const made = containerSecurityContext(pod, first(pod), image, SETTINGS);
    expect(made).toMatchObject(want);
    for (const field of not) expect(made).not.toHaveProperty(field);
  });

  test("what is hidden of /proc, and what is not written to", () => {
    const pod = podOf();
    const { maskedPaths, readonlyPaths } = containerSecurityContext(pod, first(pod), {}, SETTINGS);
    expect(maskedPaths).toContain("/proc/kcore");
    expect(maskedPaths).toContain("/sys/devices/virtual/powercap");
    expect(readonlyPaths).toContain("/proc/sysrq-trigger");
  });

  test("seccompDefault, a target's processes, groups of volumes and a user namespace", () => {
    const pod = podOf({}, { fsGroup: 1 });
    const userNamespace = { mode: "POD", uids: [], gids: [] } as const;
    const settings = { ...SETTINGS, seccompDefault: true, targetId: "abc", extraGroups: [777], userNamespace };
    expect(containerSecurityContext(pod, first(pod), {}, settings)).toMatchObject({
      seccomp: { profileType: "RuntimeDefault" },
      namespaceOptions: { pid: "TARGET", targetId: "abc", usernsOptions: userNamespace },
      supplementalGroups: [1, 777],
    });
  });

  test.each([
    {
      context: { seccompProfile: { type: "Localhost" } },
      want: "localhostProfile must be set if seccompProfile type is Localhost.",
    },
    { context: { appArmorProfile: { type: "Localhost" } }, want: "missing localhost apparmor profile name" },
  ])("$want", ({ context, want }) => {
    const pod = podOf({ securityContext: context });
    expect(() => containerSecurityContext(pod, first(pod), {}, SETTINGS)).toThrow(want);
  });
});

test("a sandbox is privileged when one of its containers is, and has the pod's user and the runtime's seccomp profile", () => {
  const pod = podOf(
    { securityContext: { privileged: true } },
    { runAsUser: 5, runAsGroup: 6, fsGroup: 7, sysctls: [{ name: "a.b", value: "1" }] },
  );
  expect(sandboxSecurityContext(pod)).toEqual({
    privileged: true,
    seccomp: { profileType: "RuntimeDefault" },
    namespaceOptions: { network: "POD", ipc: "POD", pid: "CONTAINER", usernsOptions: { mode: "NODE" } },
    runAsUser: 5,
    runAsGroup: 6,
    supplementalGroups: [7],
  });
  expect(sandboxSysctls(pod)).toEqual({ "a.b": "1" });
});

test("a node without AppArmor takes no pod that asks for a profile", () => {
  const asking = podOf({}, { appArmorProfile: { type: "RuntimeDefault" } });
  const want = { reason: "AppArmor", message: "Cannot enforce AppArmor: AppArmor is not enabled on the host" };
  expect(appArmorRejection(asking, false)).toEqual(want);
  expect(appArmorRejection(asking, true)).toBeUndefined();
  expect(appArmorRejection(podOf({}, { appArmorProfile: { type: "Unconfined" } }), false)).toBeUndefined();
});
