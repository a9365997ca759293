import { expect, test } from "vitest";
import { events } from "./event.ts";

test("an event goes at once, whatever is to become of what it owns", () => {
  expect(events().strategy?.defaultPropagation).toBe("Unsupported");
});
