import { expect, test } from "vitest";
import { attributeValues, firstNameOf } from "./entry.ts";

test.each([
  ["cn=admins,ou=groups,dc=example", "admins"],
  ["CN = Domain Admins , OU=x", "Domain Admins"],
  ["cn=a\\,b,dc=x", "a,b"],
  ["cn=a\\2Cb\\c3\\a4,dc=x", "a,bä"],
  ["cn=ends with space\\ ,dc=x", "ends with space "],
  ["cn=one+uid=two,dc=x", "one"],
  ["2.5.4.3=by number,dc=x", "by number"],
  ["cn=#0403414243,dc=x", ""],
  ["nonsense", ""],
  ["", ""],
])("the first name of %s is %s", (dn, want) => {
  expect(firstNameOf(dn)).toBe(want);
});

test("attributes are found in any case, with one value, several or none", () => {
  const entry = { dn: "uid=a", memberOf: ["x", "y"], uid: "a", jpegPhoto: Buffer.from("b"), empty: [] };
  expect(["MEMBEROF", "Uid", "jpegPhoto", "empty", "missing", "dn"].map((name) => attributeValues(entry, name))).toEqual([
    ["x", "y"],
    ["a"],
    ["b"],
    [],
    [],
    [],
  ]);
});
