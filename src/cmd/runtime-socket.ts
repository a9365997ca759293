import { stat } from "node:fs/promises";
import { findRuntimeSocket } from "#cri/remote/endpoint.ts";

/** The first usual socket of a container runtime that is there, or the one that is named. Rejects with a `NoRuntimeError`. */
export function runtimeSocket(endpoint: string): Promise<string> {
  return findRuntimeSocket(endpoint, (path) =>
    stat(path).then(
      (found) => found.isSocket(),
      () => false,
    ),
  );
}
