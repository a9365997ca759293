import { expect, test } from "vitest";
import { GrpcError } from "#base/grpc/grpc-error.ts";
import { NotFoundError, pullText, rpcText } from "./cri-error.ts";

const missing = new GrpcError(5, "no such image");
test.each([
  [missing, "rpc error: code = NotFound desc = no such image", "rpc error: code = NotFound desc = no such image"],
  [new NotFoundError("no such image", { cause: missing }), "rpc error: code = NotFound desc = no such image", undefined],
  [new GrpcError(2, "no space left"), "rpc error: code = Unknown desc = no space left", "no space left"],
  [new Error("other"), "other", "other"],
  ["text", "text", "text"],
])("%s is passed on as upstream does", (error, rpc, pull = rpc) => {
  expect(rpcText(error)).toBe(rpc);
  expect(pullText(error)).toBe(pull);
});
