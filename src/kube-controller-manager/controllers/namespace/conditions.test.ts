import { expect, test } from "vitest";
import { type Progress, updateConditions } from "./conditions.ts";

const NOW = Date.parse("2030-01-01T00:00:00Z");
const nothing: Progress = { discoveryFailures: new Map(), deletionFailures: [], remaining: new Map(), finalizers: new Map() };

test.each([
  {
    name: "nothing left",
    progress: nothing,
    want: [
      "NamespaceDeletionDiscoveryFailure False ResourcesDiscovered: All resources successfully discovered",
      "NamespaceDeletionGroupVersionParsingFailure False ParsedGroupVersions: All legacy kube types successfully parsed",
      "NamespaceDeletionContentFailure False ContentDeleted: All content successfully deleted, may be waiting on finalization",
      "NamespaceContentRemaining False ContentRemoved: All content successfully removed",
      "NamespaceFinalizersRemaining False ContentHasNoFinalizers: All content-preserving finalizers finished",
    ],
  },
  {
    name: "content with finalizers",
    progress: {
      ...nothing,
      remaining: new Map([
        ["secrets.", 1],
        ["configmaps.", 2],
      ]),
      finalizers: new Map([["example.com/hold", 3]]),
    },
    want: [
      "NamespaceContentRemaining True SomeResourcesRemain: Some resources are remaining: configmaps. has 2 resource instances, secrets. has 1 resource instances",
      "NamespaceFinalizersRemaining True SomeFinalizersRemain: Some content in the namespace has finalizers remaining: example.com/hold in 3 resource instances",
    ],
  },
])("$name", ({ progress, want }) => {
  const { conditions, changed } = updateConditions([], progress, NOW);
  const texts = conditions.map(({ type, status, reason, message }) => `${type} ${status} ${reason}: ${message}`);
  expect(changed).toBe(true);
  expect(texts.slice(-want.length)).toEqual(want);
  expect(updateConditions(conditions, progress, NOW + 1000).changed).toBe(false);
});
