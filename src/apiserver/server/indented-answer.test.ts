import { expect, test } from "vitest";
import type { Exchange } from "./exchange.ts";
import { indentedAnswer } from "./indented-answer.ts";

const answer = { status: 200, headers: { "content-type": "application/json" }, body: '{"a":1}\n', indentable: true };
const asked = (url: string, agent?: string): Exchange =>
  ({ url, headers: agent === undefined ? {} : { "user-agent": agent } }) as unknown as Exchange;

test.each([
  ["/api/v1/pods", "curl/8.5.0", true],
  ["/api/v1/pods", "Wget/1.21", true],
  ["/api/v1/pods", "Mozilla/5.0 (X11)", true],
  ["/api/v1/pods", "kubectl/v1.36.2", false],
  ["/api/v1/pods", undefined, false],
  ["/api/v1/pods?pretty=true", "kubectl/v1.36.2", true],
  ["/api/v1/pods?limit=1&pretty=T", undefined, true],
  ["/api/v1/pods?pretty=false", "curl/8.5.0", false],
  ["/api/v1/pods?pretty=no", "curl/8.5.0", false],
  ["/api/v1/pods?pretty=", "curl/8.5.0", true],
  ["/api/v1/pods/pretty", "kubectl/v1.36.2", false],
])("%s for %s in lines: %s", (url, agent, indented) => {
  expect(indentedAnswer(asked(url, agent), answer).body).toBe(indented ? '{\n  "a": 1\n}' : answer.body);
});

test("leaves alone what is no object of the API", () => {
  const raw = { status: 200, headers: { "content-type": "application/json" }, body: '{"a":1}' };
  expect(indentedAnswer(asked("/openid/v1/jwks", "curl/8.5.0"), raw)).toBe(raw);
});

test("joins bodies that come in pieces", () => {
  const pieces = { ...answer, body: [Buffer.from('{"a":"ü'), Buffer.from('"}')] };
  expect(indentedAnswer(asked("/x", "curl/8"), pieces).body).toBe('{\n  "a": "ü"\n}');
});
