import { expect, test } from "vitest";
import { findRuntimeSocket } from "./endpoint.ts";

const CONTAINERD = "/run/containerd/containerd.sock";
const CRIO = "/run/crio/crio.sock";

const found: readonly (readonly [string, string | undefined, readonly string[], string])[] = [
  ["what the flag names, there or not", "unix:///run/x.sock", [CONTAINERD], "/run/x.sock"],
  ["a plain path", "/run/x.sock", [], "/run/x.sock"],
  ["containerd before others", undefined, [CRIO, CONTAINERD], CONTAINERD],
  ["what is there", "", [CRIO], CRIO],
  ["cri-dockerd", undefined, ["/var/run/cri-dockerd.sock"], "/var/run/cri-dockerd.sock"],
];
test.each(found)("finds %s", async (_name, endpoint, sockets, want) => {
  expect(await findRuntimeSocket(endpoint, async (path) => sockets.includes(path))).toBe(want);
});

const refused: readonly (readonly [string | undefined, RegExp])[] = [
  [undefined, /no container runtime was found.*containerd\.sock.*apt-get install containerd.*--container-runtime-endpoint/],
  ["tcp://127.0.0.1:1", /only Unix sockets/],
  ["npipe:////./pipe/x", /only Unix sockets/],
  ["unix://run/x.sock", /must be whole/],
];
test.each(refused)("%s is refused", async (endpoint, message) => {
  await expect(findRuntimeSocket(endpoint, async () => false)).rejects.toThrow(message);
});
