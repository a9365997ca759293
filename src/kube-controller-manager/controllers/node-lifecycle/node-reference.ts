import type { Node } from "#api/generated/core/v1.ts";
import type { ObjectReference } from "#client/event-target.ts";

/** Node events are told without resource version, as upstream does. */
export function nodeReference({ metadata }: Node): ObjectReference {
  return {
    kind: "Node",
    apiVersion: "v1",
    name: metadata.name ?? "",
    ...(metadata.uid === undefined ? {} : { uid: metadata.uid }),
  };
}
