import type { Plugin, PostFilterPlugin, PreFilterPlugin } from "../../framework/plugin.ts";
import { errorStatus, SKIP, unschedulable } from "../../framework/status.ts";

const NAME = "DynamicResources";
const NOTHING_TO_DEALLOCATE = unschedulable("no new claims to deallocate");
/** Upstream's text when the cycle ended before this plugin could look at the pod: users see it, word for word. */
const NOT_ASKED = errorStatus("not found");

/** Claims for devices (KEP-4381). Pods have none so far: it only says that none can be given up to make room. */
export function dynamicResources(): Plugin & PreFilterPlugin & PostFilterPlugin {
  return {
    name: NAME,
    preFilter(state) {
      state.write(NAME, true);
      return { status: SKIP };
    },
    postFilter: (state) => ({ status: state.read<boolean>(NAME) === true ? NOTHING_TO_DEALLOCATE : NOT_ASKED }),
  };
}
