import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import type { ServedVersion } from "#apiserver/registry/resource.ts";
import { setRequestDefaults } from "./request-defaults.ts";

/** Fields of a request for devices, which `v1` has in `exactly`. */
const EXACT = ["deviceClassName", "selectors", "allocationMode", "count", "adminAccess", "tolerations", "capacity"];

type Fields = Record<string, unknown>;
/** Null is what no requests are written as. */
type Devices = { devices?: { requests?: Fields[] | null } };

/** ResourceClaims of `resource.k8s.io/v1beta1`. */
export const v1beta1Claims: ServedVersion = versionOf((object) => object.spec as Devices | undefined);

/** ResourceClaimTemplates of `resource.k8s.io/v1beta1`. */
export const v1beta1ClaimTemplates: ServedVersion = versionOf((object) => (object.spec as { spec?: Devices } | undefined)?.spec);

/** ResourceSlices of `resource.k8s.io/v1beta1`, whose devices are `basic`. */
export const v1beta1Slices: ServedVersion = {
  version: "v1beta1",
  toStorage: (object) => changeDevices(object, ({ basic, ...device }) => ({ ...device, ...(basic as Fields | undefined) })),
  fromStorage: (object) => changeDevices(object, ({ name, ...basic }) => ({ name, basic })),
};

function versionOf(devicesOf: (object: ApiObject) => Devices | undefined): ServedVersion {
  const change = (object: ApiObject, convert: (request: Fields) => Fields): ApiObject => {
    const devices = devicesOf(object)?.devices;
    if (devices?.requests) devices.requests = devices.requests.map(convert);
    return object;
  };
  return {
    version: "v1beta1",
    toStorage: (object) => change(object, toExact),
    fromStorage: (object) => change(object, fromExact),
    setDefaults: (object) => {
      for (const request of devicesOf(object)?.devices?.requests ?? []) {
        const alternatives = (request.firstAvailable ?? []) as Fields[];
        for (const each of alternatives.length > 0 ? alternatives : [request]) setRequestDefaults(each);
      }
    },
  };
}

/** Upstream's `Convert_v1beta1_DeviceRequest_To_resource_DeviceRequest`. */
function toExact(request: Fields): Fields {
  const rest: Fields = {};
  const exactly: Fields = {};
  for (const [name, value] of Object.entries(request)) (EXACT.includes(name) ? exactly : rest)[name] = value;
  const isSet = Object.values(exactly).some((value) => value !== "" && value !== 0);
  return isSet ? { ...rest, exactly } : rest;
}

function fromExact({ exactly, ...request }: Fields): Fields {
  return { ...request, ...(exactly as Fields | undefined) };
}

function changeDevices(object: ApiObject, convert: (device: Fields) => Fields): ApiObject {
  const spec = object.spec as { devices?: Fields[] | null } | undefined;
  if (spec?.devices) spec.devices = spec.devices.map(convert);
  return object;
}
