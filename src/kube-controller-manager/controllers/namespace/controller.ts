import type { Namespace } from "#api/generated/core/v1.ts";
import { isNotFound } from "#apimachinery/api-errors/errors.ts";
import { parseTime } from "#apimachinery/meta/time.ts";
import { type ControllerDefinition, controller, source } from "../../framework/controller.ts";
import { Discovery } from "../../framework/discovery.ts";
import { NAMESPACES } from "../../framework/resources.ts";
import { updateConditions } from "./conditions.ts";
import { deleteContent } from "./content-deleter.ts";
import { type Action, KUBERNETES_FINALIZER, type Observed, reconcile, retryAfterMs } from "./reconcile.ts";

/** What discovery said may be this old. Milliseconds. */
const DISCOVERY_MAX_AGE_MS = 1_000;
/**
 * What was let in before the namespace began to end may still be on its way: it would be left behind. Upstream waits for 5 s,
 * since its API servers learn of the end one by one. Milliseconds.
 */
const SETTLE_MS = 1_000;

/** Empties namespaces that are being deleted, and lets them go. */
export const namespaceController: ControllerDefinition = {
  name: "namespace-controller",
  workers: 10,
  create({ client, clock, informers }) {
    const namespaces = informers.informer<Namespace>(NAMESPACES);
    const discovery = new Discovery(client, clock);
    let enqueue: (key: string, afterMs?: number) => void = () => {};

    async function empty(namespace: Namespace): Promise<void> {
      const name = namespace.metadata.name ?? "";
      const progress = await deleteContent(client, name, await discovery.discover(DISCOVERY_MAX_AGE_MS));
      const { conditions, changed } = updateConditions(namespace.status?.conditions ?? [], progress, clock.now());
      let current = namespace;
      if (changed) {
        const status = { ...namespace.status, phase: "Terminating", conditions };
        current = await client.update<Namespace>(NAMESPACES, "", name, { ...namespace, status }, { subresource: "status" });
      }
      const { discoveryFailures, deletionFailures, remaining } = progress;
      if (remaining.size === 0 && discoveryFailures.size === 0 && deletionFailures.length === 0) {
        const finalizers = (current.spec?.finalizers ?? []).filter((finalizer) => finalizer !== KUBERNETES_FINALIZER);
        const next: Namespace = { ...current, spec: { ...current.spec, finalizers } };
        await client.update<Namespace>(NAMESPACES, "", name, next, { subresource: "finalize" });
        return;
      }
      const deletedMs = parseTime(namespace.metadata.deletionTimestamp) ?? clock.now();
      enqueue(name, retryAfterMs(clock.now() - deletedMs));
    }

    return controller<Observed, Action>({
      sources: [
        source(namespaces, ({ type, object }) =>
          type === "delete" || object.metadata.deletionTimestamp === undefined
            ? []
            : [{ key: object.metadata.name ?? "", afterMs: SETTLE_MS }],
        ),
      ],
      async start(add) {
        enqueue = add;
      },
      observe(name) {
        const namespace = namespaces.lister.get("", name);
        return namespace === undefined ? undefined : { namespace };
      },
      reconcile,
      async execute(actions, { namespace }) {
        let current = namespace;
        try {
          for (const { type } of actions) {
            if (type === "deleteContent") {
              await empty(current);
              continue;
            }
            const status = { ...namespace.status, phase: "Terminating" };
            const name = namespace.metadata.name ?? "";
            current = await client.update<Namespace>(NAMESPACES, "", name, { ...namespace, status }, { subresource: "status" });
          }
        } catch (error) {
          if (!isNotFound(error)) throw error;
        }
      },
    });
  },
};
