import { expect, test } from "vitest";
import { decode, encode } from "./codec.ts";
import type { MessageName, MessageWritten } from "./schema/messages.ts";

function bytesOf<N extends MessageName>(name: N, message: MessageWritten<N>): Buffer {
  return encode(name, message).finish();
}

const written: readonly (readonly [string, Buffer, string])[] = [
  ["texts and numbers", bytesOf("ContainerMetadata", { name: "app", attempt: 300 }), "0a0361707010ac02"],
  ["nothing for zero values", bytesOf("ContainerMetadata", { name: "", attempt: 0 }), ""],
  [
    "flags and enumerations",
    bytesOf("Mount", { containerPath: "/a", readonly: true, propagation: "PROPAGATION_BIDIRECTIONAL" }),
    "0a022f6118012802",
  ],
  ["an enumeration's first value as nothing", bytesOf("Mount", { propagation: "PROPAGATION_PRIVATE" }), ""],
  ["a wrapped 0", bytesOf("LinuxSandboxSecurityContext", { runAsUser: 0 }), "1a00"],
  ["a wrapped number", bytesOf("LinuxSandboxSecurityContext", { runAsUser: 1000 }), "1a0308e807"],
  ["repeated numbers packed", bytesOf("LinuxSandboxSecurityContext", { supplementalGroups: [1, 300] }), "2a0301ac02"],
  ["repeated texts, empty ones too", bytesOf("ExecSyncRequest", { cmd: ["a", ""] }), "12016112" + "00"],
  ["maps as entries", bytesOf("ImageSpec", { annotations: { a: "b" } }), "12060a01611201" + "62"],
  ["an empty message that is there", bytesOf("CreateContainerRequest", { config: {} }), "1200"],
  ["negative numbers", bytesOf("StopContainerRequest", { timeout: -1 }), "10ffffffffffffffffff01"],
  ["texts as bytes", bytesOf("KeyValue", { key: "A", value: "é" }), "0a01411202c3a9"],
];
test.each(written)("%s", (_name, bytes, want) => {
  expect(bytes.toString("hex")).toBe(want);
});

test("what was written reads the same", () => {
  const config = {
    metadata: { name: "web", namespace: "default", uid: "u1", attempt: 2 },
    dnsConfig: { servers: ["10.0.0.10"], searches: ["cluster.local", "local"], options: ["ndots:5"] },
    portMappings: [{ protocol: "UDP", containerPort: 53, hostPort: 5353, hostIp: "" }],
    labels: { app: "web", "": "" },
    linux: {
      sysctls: { "net.a": "1" },
      securityContext: { seccomp: { profileType: "Localhost", localhostRef: "p" }, supplementalGroups: [7, 2 ** 40] },
    },
  } as const;
  expect(decode("PodSandboxConfig", bytesOf("PodSandboxConfig", config))).toMatchObject(config);
});

test("what was not sent has its zero value", () => {
  expect(decode("ContainerStatsResponse", Buffer.alloc(0))).toEqual({ stats: undefined });
  expect(decode("PodSandboxNetworkStatus", Buffer.alloc(0))).toEqual({ ip: "", additionalIps: [] });
  expect(decode("ExecSyncResponse", Buffer.alloc(0))).toEqual({ stdout: Buffer.alloc(0), stderr: Buffer.alloc(0), exitCode: 0 });
});

const read: readonly (readonly [string, string, object])[] = [
  ["numbers that are not packed", "28012802", { supplementalGroups: [1, 2] }],
  ["fields that are not known", "9a060161" + "3001", { privileged: true }],
  ["a known field of another type", "300" + "1" + "3201" + "61", { privileged: true }],
  ["a value that an enumeration does not know", "5863", { supplementalGroupsPolicy: "Merge" }],
];
test.each(read)("reads %s", (_name, hex, want) => {
  expect(decode("LinuxSandboxSecurityContext", Buffer.from(hex, "hex"))).toMatchObject(want);
});

test("reads numbers of 64 bits without a sign, and fractions", () => {
  const psi = bytesOf("PsiData", { total: 2 ** 63, avg10: 0.25 });
  expect(decode("PsiData", psi)).toMatchObject({ total: 2 ** 63, avg10: 0.25 });
});
