import { expect, test } from "vitest";
import { HealthSlis } from "./health-slis.ts";

test("the last outcome of each check is told, and how often each came", () => {
  const slis = new HealthSlis();
  expect(slis.text()).toBe("");
  for (const holds of [true, false, true]) slis.observe("etcd", "readyz", holds);
  slis.observe("etcd", "livez", false);
  expect(slis.text()).toBe(`# HELP kubernetes_healthcheck [STABLE] This metric records the result of a single healthcheck.
# TYPE kubernetes_healthcheck gauge
kubernetes_healthcheck{name="etcd",type="readyz"} 1
kubernetes_healthcheck{name="etcd",type="livez"} 0
# HELP kubernetes_healthchecks_total [STABLE] This metric records the results of all healthcheck.
# TYPE kubernetes_healthchecks_total counter
kubernetes_healthchecks_total{name="etcd",status="error",type="readyz"} 1
kubernetes_healthchecks_total{name="etcd",status="success",type="readyz"} 2
kubernetes_healthchecks_total{name="etcd",status="error",type="livez"} 1
`);
});
