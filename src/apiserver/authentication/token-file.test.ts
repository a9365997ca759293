import { expect, test } from "vitest";
import { tokenFile } from "./token-file.ts";

const file = tokenFile('\n# comment\ns3cret,jane,7,"dev, ops"\nplain,joe,8\n,nobody,9\n"quo""ted",q,1,one\n', "token.csv");

const known = (user: object): object => ({ user, holds: expect.any(Function) });

test.each([
  { token: "s3cret", want: known({ name: "jane", uid: "7", groups: ["dev", "ops"], extra: {} }) },
  { token: "plain", want: known({ name: "joe", uid: "8", groups: [], extra: {} }) },
  { token: 'quo"ted', want: known({ name: "q", uid: "1", groups: ["one"], extra: {} }) },
  { token: "", want: undefined },
  { token: "unknown", want: undefined },
])("$token", ({ token, want }) => {
  expect(file.authenticate(token, ["a"])).toEqual(want);
});

test("a line that says too little is an error", () => {
  expect(() => tokenFile("a,b\n", "t")).toThrow("token file 't' must have at least 3 columns");
});
