import { expect, test } from "vitest";
import { GrpcError } from "#base/grpc/grpc-error.ts";
import { storageError } from "./etcd-error.ts";

test.each([
  [11, "etcdserver: mvcc: required revision has been compacted", "Compacted", /required revision has been compacted/],
  [8, "etcdserver: mvcc: database space exceeded", "NoSpace", /^etcdserver: mvcc: database space exceeded$/],
  [14, "etcdserver: request timed out", "Unavailable", /^etcdserver: request timed out$/],
  [4, "http://10.0.0.1:2379 did not answer in time", "Unavailable", /^context deadline exceeded$/],
  [14, "read ECONNRESET", "Unavailable", /^rpc error: code = Unavailable desc = read ECONNRESET$/],
  [99, "what", "Unavailable", /^rpc error: code = Code\(99\) desc = what$/],
])("code %i with %j", (code, message, kind, text) => {
  expect(storageError(new GrpcError(code, message))).toMatchObject({ code: kind, message: expect.stringMatching(text) });
});

test("what is no failure of a call stays as it is", () => {
  const error = new Error("x");
  expect(storageError(error)).toBe(error);
});
