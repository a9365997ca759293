import type { IPAddress, ServiceCIDR } from "#api/generated/networking/v1.ts";
import { isNotFound } from "#apimachinery/api-errors/errors.ts";
import { type ControllerDefinition, controller, source } from "../../framework/controller.ts";
import { IP_ADDRESSES, SERVICE_CIDRS } from "../../framework/resources.ts";
import { HeldAddresses } from "./held-addresses.ts";
import { containing, overlapping } from "./networks.ts";
import { type Action, type Observed, reconcile, SERVICE_CIDR_FINALIZER } from "./reconcile.ts";

const MANAGED_BY_LABEL = "ipaddress.kubernetes.io/managed-by";
const ALLOCATOR_NAME = "ipallocator.k8s.io";

/** Keeps ServiceCIDRs while Services need them, and tells whether addresses are given out of them. */
export const serviceCidrController: ControllerDefinition = {
  name: "service-cidr-controller",
  create({ client, clock, informers }) {
    const serviceCidrs = informers.informer<ServiceCIDR>(SERVICE_CIDRS);
    const addresses = informers.informer<IPAddress>(IP_ADDRESSES);
    const isManaged = ({ metadata }: IPAddress): boolean => metadata.labels?.[MANAGED_BY_LABEL] === ALLOCATOR_NAME;
    const held = new HeldAddresses(() => addresses.lister.list(), isManaged);
    addresses.addTally(held);
    return controller<Observed, Action>({
      sources: [
        source(serviceCidrs, ({ object }) => [object.metadata.name ?? "", ...overlapping(object, serviceCidrs.lister.list())]),
        // Only one that is to go waits for addresses; there are few ServiceCIDRs, and may be many addresses.
        source(addresses, ({ object }) => {
          const going = serviceCidrs.lister.list().filter(({ metadata }) => metadata.deletionTimestamp !== undefined);
          return going.length > 0 && isManaged(object) ? containing(object, going) : [];
        }),
      ],
      observe(name) {
        const serviceCidr = serviceCidrs.lister.get("", name);
        const isGoing = serviceCidr?.metadata.deletionTimestamp !== undefined;
        if (!isGoing) held.forget(name);
        if (serviceCidr === undefined) return undefined;
        return { serviceCidr, isNeeded: isGoing && held.has(serviceCidr, serviceCidrs.lister.list()), nowMs: clock.now() };
      },
      reconcile,
      async execute(actions, { serviceCidr }) {
        const { name = "" } = serviceCidr.metadata;
        for (const action of actions) {
          const [patch, options] = patchOf(action);
          try {
            await client.patch(SERVICE_CIDRS, "", name, "application/strategic-merge-patch+json", patch, options);
          } catch (error) {
            if (!isNotFound(error)) throw error;
          }
        }
      },
    });
  },
};

function patchOf(action: Action): readonly [patch: object, options: { readonly subresource?: string }] {
  if (action.type === "tell") return [{ status: { conditions: [action.condition] } }, { subresource: "status" }];
  const key = action.type === "protect" ? "finalizers" : "$deleteFromPrimitiveList/finalizers";
  return [{ metadata: { [key]: [SERVICE_CIDR_FINALIZER] } }, {}];
}
