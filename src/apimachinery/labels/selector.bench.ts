import { bench, describe } from "vitest";
import { parseLabelSelector } from "./parse.ts";
import { labelSelectorFromObject } from "./selector.ts";

const labels = { app: "web", tier: "front", "app.kubernetes.io/name": "shop", "pod-template-hash": "5d59d67564" };
const SELECTORS = { equal: "app=web", several: "app=web,tier in (front, back),!canary,track notin (beta)", none: "app=other" };

describe("label selectors", () => {
  for (const [name, text] of Object.entries(SELECTORS)) {
    const selector = parseLabelSelector(text);
    bench(`${name}: parsed`, () => void parseLabelSelector(text));
    bench(`${name}: asked`, () => void selector.matches(labels));
  }
  bench("of a Deployment: made", () => void labelSelectorFromObject({ matchLabels: labels }));
});
