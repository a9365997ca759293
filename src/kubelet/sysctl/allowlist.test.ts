import { describe, expect, test } from "vitest";
import type { Pod } from "#api/generated/core/v1.ts";
import { SysctlAllowlist, safeSysctls } from "./allowlist.ts";

const pod = (name: string, spec: object = {}): Pod =>
  ({ metadata: {}, spec: { containers: [], securityContext: { sysctls: [{ name, value: "1" }] }, ...spec } }) as unknown as Pod;

test.each([
  { release: "6.18.0-amd64", has: 12 },
  { release: "4.5.1", has: 9 },
  { release: "3.10.0-1160.el7", has: 5 },
])("a kernel $release has $has safe settings", ({ release, has }) => {
  expect(safeSysctls(release)).toHaveLength(has);
});

describe("pods' settings of the kernel", () => {
  const allowlist = new SysctlAllowlist([...safeSysctls("6.1.0"), "kernel.msg*", "net/ipv4/route.min_pmtu"]);
  test.each([
    { name: "net.ipv4.ip_local_port_range", spec: {}, want: undefined },
    { name: "kernel.shm_rmid_forced", spec: {}, want: undefined },
    { name: "kernel/shm_rmid_forced", spec: {}, want: undefined },
    { name: "kernel.msgmax", spec: {}, want: undefined },
    { name: "kernel.sem", spec: {}, want: 'forbidden sysctl: "kernel.sem" not allowlisted' },
    { name: "vm.swappiness", spec: {}, want: 'forbidden sysctl: "vm.swappiness" not allowlisted' },
    {
      name: "net.ipv4.tcp_syncookies",
      spec: { hostNetwork: true },
      want: 'forbidden sysctl: "net.ipv4.tcp_syncookies" not allowed with host net enabled',
    },
    {
      name: "kernel.msgmax",
      spec: { hostIPC: true },
      want: 'forbidden sysctl: "kernel.msgmax" not allowed with host ipc enabled',
    },
  ])("$name", ({ name, spec, want }) => {
    const rejection = allowlist.rejectionOf(pod(name, spec));
    expect(rejection).toEqual(want === undefined ? undefined : { reason: "SysctlForbidden", message: want });
  });
  test("none is none", () => expect(allowlist.rejectionOf({ metadata: {}, spec: { containers: [] } } as Pod)).toBeUndefined());
});

test.each([
  { pattern: "vm.swappiness", want: 'the sysctl "vm.swappiness" are not known to be namespaced' },
  { pattern: "kernel.*", want: 'the sysctls "kernel.*" are not known to be namespaced' },
  { pattern: "net.*.x", want: 'sysctl "net.*.x" must have at most 253 characters and match regex' },
])("$pattern cannot be allowed", ({ pattern, want }) => {
  expect(() => new SysctlAllowlist([pattern])).toThrow(want);
});
