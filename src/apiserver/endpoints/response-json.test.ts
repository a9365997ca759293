import { expect, test } from "vitest";
import type { ApiResponse, ResponseSink } from "./response.ts";
import { jsonOf } from "./response-json.ts";

const bytes = (text: string): Uint8Array => Buffer.from(text);
const inTwo = {
  start(sink: ResponseSink): void {
    sink.write('{"a"');
    sink.write(bytes(":1}"));
    sink.end();
  },
};

test.each<[string, ApiResponse["body"]]>([
  ["text", '{"a":1}'],
  ["bytes", bytes('{"a":1}')],
  ["pieces", [bytes('{"a"'), bytes(":1}")]],
  ["a stream", inTwo],
])("reads %s", async (_name, body) => {
  expect(await jsonOf({ status: 200, headers: {}, body })).toEqual({ a: 1 });
});

test.each([
  [
    "a Status",
    409,
    '{"kind":"Status","reason":"Conflict","message":"no","code":409}',
    { reason: "Conflict", message: "no", code: 409 },
  ],
  ["a text", 404, "404 page not found", { reason: "NotFound", message: "404 page not found", code: 404 }],
  ["an object that is no Status", 503, '{"a":1}', { reason: "Unknown", code: 503 }],
])("throws what %s says", async (_name, status, body, wanted) => {
  await expect(jsonOf({ status, headers: {}, body })).rejects.toMatchObject({ status: wanted });
});
