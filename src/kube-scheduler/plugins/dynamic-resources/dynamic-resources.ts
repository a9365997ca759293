import type { Plugin, PostFilterPlugin } from "../../framework/plugin.ts";
import { unschedulable } from "../../framework/status.ts";

const NOTHING_TO_DEALLOCATE = unschedulable("no new claims to deallocate");

/** Claims for devices (KEP-4381). Pods have none so far: it only says that none can be given up to make room. */
export function dynamicResources(): Plugin & PostFilterPlugin {
  return { name: "DynamicResources", postFilter: () => ({ status: NOTHING_TO_DEALLOCATE }) };
}
