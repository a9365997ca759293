import { runLeaderElection } from "#client/leader-election.ts";
import type { ElectionSettings } from "#client/lease-candidate.ts";
import { type ControllerManager, type ControllerManagerOptions, startControllerManager } from "./controller-manager.ts";

/** As upstream's `--leader-elect-resource-namespace` and `-name`. */
const LEASE = { namespace: "kube-system", name: "kube-controller-manager" };

/** A controller manager among others on the same cluster. */
export interface ElectedControllerManager {
  /** It stands by, or every controller has seen the cluster once. */
  healthy(): boolean;
  /** Resolves when nothing of it runs any more, and the Lease is given back. */
  stop(): Promise<void>;
}

/**
 * Runs the controllers while this candidate holds the Lease `kube-system/kube-controller-manager`, and stands again when it has
 * lost it. `identity` is unique among the candidates.
 */
export function startElectedControllerManager(
  options: ControllerManagerOptions & { readonly identity: string; readonly election?: ElectionSettings },
): ElectedControllerManager {
  const { client, clock, identity } = options;
  const stopping = new AbortController();
  const signal = AbortSignal.any([options.signal, stopping.signal]);
  let leader: ControllerManager | undefined;
  const stand = async (): Promise<void> => {
    let term: Promise<ControllerManager | undefined> = Promise.resolve(undefined);
    await runLeaderElection({
      client,
      clock,
      identity,
      lease: LEASE,
      ...options.election,
      signal,
      onStoppedLeading: async () => {
        leader = undefined;
        await (await term.catch(() => undefined))?.stop();
      },
      onStartedLeading: ({ signal: leading, fence }) => {
        const { clientFor } = options;
        term = startControllerManager({
          ...options,
          client: fence(client),
          ...(clientFor === undefined ? {} : { clientFor: (controller) => fence(clientFor(controller)) }),
          signal: AbortSignal.any([leading, signal]),
        });
        term.then(
          (started) => {
            leader = started;
          },
          (error: unknown) => options.logger?.error({ err: error }, "the controllers cannot start"),
        );
      },
    });
    await (await term.catch(() => undefined))?.stop();
  };
  const ended = (async () => {
    while (!signal.aborted) await stand();
  })();
  return {
    healthy: () => leader?.healthy() ?? true,
    async stop() {
      stopping.abort(new Error("the controller manager stops"));
      await ended;
    },
  };
}
