import { expect, test } from "vitest";
import { goDump } from "./go-dump.ts";
import { goFieldName } from "./go-field-name.ts";
import { dumpQuantity } from "./go-quantity-dump.ts";
import { schemaByName } from "./registry.ts";

function dumped(type: string, value: object): string {
  return goDump(schemaByName(`io.k8s.api.core.v1.${type}`) ?? expect.unreachable(), value);
}

test.each([
  ["PodOS", { name: "linux" }, "(v1.PodOS){Name:(v1.OSName)linux}"],
  [
    "SecretKeySelector",
    { name: "s", key: "k" },
    "(v1.SecretKeySelector){LocalObjectReference:(v1.LocalObjectReference){Name:(string)s} Key:(string)k Optional:(*bool)<nil>}",
  ],
  [
    "TCPSocketAction",
    { port: "http" },
    "(v1.TCPSocketAction){Port:(intstr.IntOrString){Type:(intstr.Type)1 IntVal:(int32)0 StrVal:(string)http} Host:(string)}",
  ],
  ["SELinuxOptions", {}, "(v1.SELinuxOptions){User:(string) Role:(string) Type:(string) Level:(string)}"],
  [
    "PodDNSConfig",
    { nameservers: ["a", "b"], options: [{ name: "n" }] },
    "(v1.PodDNSConfig){Nameservers:([]string)[a b] Searches:([]string)<nil> Options:([]v1.PodDNSConfigOption)[{Name:(string)n Value:(*string)<nil>}]}",
  ],
] as const)("%s as Go prints it", (type, value, want) => {
  expect(dumped(type, value)).toBe(want);
});

test.each([
  ["1", "value:(int64)1 scale:(resource.Scale)0", "DecimalSI"],
  ["100m", "value:(int64)100 scale:(resource.Scale)-3", "DecimalSI"],
  ["128Mi", "value:(int64)134217728 scale:(resource.Scale)0", "BinarySI"],
  ["1e3", "value:(int64)1 scale:(resource.Scale)3", "DecimalExponent"],
])("the quantity %s as Go prints it", (text, amount, format) => {
  expect(dumpQuantity(text)).toBe(
    `{i:(resource.int64Amount){${amount}} d:(resource.infDecAmount){Dec:(*inf.Dec)<nil>} s:(string)${text} Format:(resource.Format)${format}}`,
  );
});

test.each([
  ["PodSpec.dnsPolicy", "DNSPolicy"],
  ["PodSpec.setHostnameAsFQDN", "SetHostnameAsFQDN"],
  ["PodSpec.serviceAccount", "DeprecatedServiceAccount"],
  ["Container.tty", "TTY"],
  ["VolumeSource.awsElasticBlockStore", "AWSElasticBlockStore"],
  ["VolumeSource.downwardAPI", "DownwardAPI"],
  ["HTTPGetAction.httpHeaders", "HTTPHeaders"],
  ["SecurityContext.seLinuxOptions", "SELinuxOptions"],
  ["ISCSIVolumeSource.iscsiInterface", "ISCSIInterface"],
])("%s is called %s in Go", (name, want) => {
  const [type = "", field = ""] = name.split(".");
  expect(goFieldName(type, field)).toBe(want);
});
