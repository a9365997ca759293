import { expect, test } from "vitest";
import { isKnownFormat, matchesFormat } from "./formats.ts";

const cases: Readonly<Record<string, { readonly good: readonly string[]; readonly bad: readonly string[] }>> = {
  "date-time": {
    good: ["2026-01-02T03:04:05Z", "2026-01-02t03:04:05.1+01:00"],
    bad: ["2026-01-02", "now", "2026-01-02 03:04:05Z", "2026-01-02T03:04:60Z", "2026-01-02T03:04:05"],
  },
  date: { good: ["2024-02-29"], bad: ["2026-02-29", "2026-1-1"] },
  duration: { good: ["1h30m", "22 ns", "1 day", "P1D", "-5s", "0"], bad: ["", "hour", "5", "1x"] },
  email: { good: ["a@b", "Bob <a@example.com>"], bad: ["a", "", "a@", "@b"] },
  uri: {
    good: ["/a b", "https://a.example/x?y", "mailto:x", "http://[::1]:80/"],
    bad: ["", "a", "http://a b", "/%zz", ":x", "http://a:x"],
  },
  hostname: { good: ["a.b-c.example", "a-b", "1"], bad: ["-a", "a_b", "a.1", "a-b-c"] },
  ipv4: { good: ["10.0.0.1", "010.0.0.1", "::ffff:1.2.3.4"], bad: ["10.0.0", "::1"] },
  ipv6: { good: ["::1"], bad: ["10.0.0.1", "fe80::1%eth0"] },
  cidr: { good: ["10.0.0.0/8", "fd00::/8"], bad: ["10.0.0.0", "10.0.0.0/33"] },
  ssn: { good: ["123-45-6789"], bad: ["123456789"] },
  creditcard: { good: ["4111 1111 1111 1111"], bad: ["4111 1111 1111 1112", "1234567890123"] },
  mac: { good: ["01:23:45:67:89:ab", "0123.4567.89ab", "01-23-45-67-89-ab-cd-ef"], bad: ["01:23"] },
  uuid: { good: ["123e4567-e89b-12d3-a456-426614174000"], bad: ["123e4567"] },
  isbn: { good: ["0321751043", "978-0321751041"], bad: ["0321751044"] },
  byte: { good: ["aGk="], bad: ["", "a"] },
  hexcolor: { good: ["#fff", "a0b1c2"], bad: ["#ffff"] },
  rgbcolor: { good: ["rgb(255,0,1)"], bad: ["rgb(256,0,0)"] },
  "k8s-short-name": { good: ["a-b"], bad: ["A", "-a"] },
  "k8s-long-name": { good: ["a.b-c"], bad: ["a..b"] },
};

test.each(Object.entries(cases))("%s", (format, { good, bad }) => {
  expect(good.filter((text) => matchesFormat(format, text) !== true)).toEqual([]);
  expect(bad.filter((text) => matchesFormat(format, text) !== false)).toEqual([]);
});

test.each<[string, string, boolean]>([
  ["string", "date-time", true],
  ["string", "datetime", true],
  ["", "uuid", true],
  ["string", "int32", false],
  ["integer", "int32", true],
  ["integer", "uint32", false],
  ["number", "double", true],
  ["object", "date", false],
])("whether %s values are held against %s", (type, format, want) => {
  expect(isKnownFormat(type, format)).toBe(want);
});
