import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, startCluster } from "#envtest/envtest.ts";
import { eventually, hasKubectl, Kubectl } from "../support/kubectl.ts";

/** Of node `n1`; DER. */
const CERTIFICATE_REQUEST =
  "MIIBEjCBuAIBADAwMRUwEwYDVQQKDAxzeXN0ZW06bm9kZXMxFzAVBgNVBAMMDnN5c3RlbTpub2RlOm4xMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE2le+5jPTyj0srZt8YvpfDwf0TWr3LB9hquUaQZhwyKsdUs4uh46F0l9FT8ONlEY6sxGsmfvtINmoK+KMzs5KaKAmMCQGCSqGSIb3DQEJDjEXMBUwEwYDVR0RBAwwCoICbjGHBAoAAAEwCgYIKoZIzj0EAwIDSQAwRgIhAI5r85mqENCj2FBi8beF7PzWcnNu1PZICIJA5qvf/1g/AiEAi6Qk2ZghR8YTJYsnXGp3D/Ukbb21q7PryR3NUyIrtYo=";

describe.skipIf(!hasKubectl)("kubectl, beyond the everyday (needs kubectl on the PATH)", () => {
  let cluster: Cluster;
  let kubectl: Kubectl;
  beforeAll(async () => {
    cluster = await startCluster({ nodes: 1 });
    kubectl = new Kubectl(cluster.kubeconfig);
  });
  afterAll(async () => {
    kubectl?.[Symbol.dispose]();
    await cluster?.stop();
  });

  test("get --raw reads a watch to its end", async () => {
    await kubectl.ok(["create", "configmap", "watched", "--from-literal=a=1"]);
    const path = "/api/v1/namespaces/default/configmaps?watch=true&timeoutSeconds=1&fieldSelector=metadata.name%3Dwatched";
    const events = (await kubectl.ok(["get", "--raw", path])).trim().split("\n");
    expect(events.map((line) => JSON.parse(line))).toMatchObject([{ type: "ADDED", object: { data: { a: "1" } } }]);
  });

  test("create --edit and edit store what the editor leaves", async () => {
    const made = JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "edited" }, data: { level: "info" } });
    const editor = "sed -i s/info/debug/";
    expect(await kubectl.ok(["create", "--edit", "-f", "-"], made, { KUBE_EDITOR: editor })).toContain("edited created");
    const level = ["get", "configmap", "edited", "-o=jsonpath={.data.level}"];
    expect(await kubectl.ok(level)).toBe("debug");
    await kubectl.ok(["edit", "configmap", "edited"], "", { KUBE_EDITOR: "sed -i s/debug/trace/" });
    expect(await kubectl.ok(level)).toBe("trace");
  });

  test("events tells what happened to an object, and follows it", async () => {
    await kubectl.ok(["run", "told", "--image=nginx"]);
    await kubectl.ok(["wait", "--for=condition=Ready", "pod/told", "--timeout=60s"]);
    await eventually(async () => /Normal +Started +Pod\/told/.test(await kubectl.ok(["events", "--for=pod/told"])));
    expect(await kubectl.ok(["events", "--types=Warning"])).not.toContain("Started");
    using watch = kubectl.start(["events", "--for=pod/told", "--watch"]);
    await eventually(() => watch.output.includes("Scheduled"));
    await kubectl.ok(["delete", "pod", "told", "--now"]);
    await eventually(() => watch.output.includes("Killing"));
  });

  test("debug adds an ephemeral container, which runs", async () => {
    await kubectl.ok(["run", "ill", "--image=nginx"]);
    await kubectl.ok(["wait", "--for=condition=Ready", "pod/ill", "--timeout=60s"]);
    await kubectl.ok(["debug", "ill", "--image=busybox", "--container=doctor", "--target=ill", "--attach=false"]);
    const found = JSON.parse(await kubectl.ok(["get", "pod", "ill", "-o", "json"]));
    expect(found.spec.ephemeralContainers).toMatchObject([{ name: "doctor", image: "busybox", targetContainerName: "ill" }]);
    const running = "-o=jsonpath={.status.ephemeralContainerStatuses[0].state.running.startedAt}";
    await eventually(async () => (await kubectl.ok(["get", "pod", "ill", running])) !== "");
    await kubectl.ok(["debug", "ill", "--copy-to=copied", "--set-image=*=busybox", "--attach=false"]);
    expect(await kubectl.ok(["get", "pod", "copied", "-o=jsonpath={.spec.containers[*].image}"])).toBe("busybox");
  });

  test("create token gives a token that the server knows", async () => {
    await kubectl.ok(["create", "serviceaccount", "robot"]);
    const token = (
      await kubectl.ok(["create", "token", "robot", "--duration=10m", "--audience=https://kubernetes.default.svc.cluster.local"])
    ).trim();
    const claims = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
    expect(claims).toMatchObject({ sub: "system:serviceaccount:default:robot", exp: claims.iat + 600 });
    const server = ["--server", cluster.url, "--insecure-skip-tls-verify", "--kubeconfig=/dev/null", "--token", token];
    expect(await kubectl.ok(["auth", "whoami", ...server, "-o=jsonpath={.status.userInfo.username}"])).toBe(
      "system:serviceaccount:default:robot",
    );
    expect((await kubectl.run(["get", "pods", ...server])).stderr).toContain(
      'User "system:serviceaccount:default:robot" cannot list resource "pods"',
    );
  });

  test("certificate approve and deny", async () => {
    for (const [name, verb] of [
      ["wanted", "approve"],
      ["unwanted", "deny"],
    ] as const) {
      const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${CERTIFICATE_REQUEST}\n-----END CERTIFICATE REQUEST-----\n`;
      const request = Buffer.from(pem).toString("base64");
      const csr = {
        apiVersion: "certificates.k8s.io/v1",
        kind: "CertificateSigningRequest",
        metadata: { name },
        spec: { request, signerName: "kubernetes.io/kube-apiserver-client", usages: ["client auth"] },
      };
      await kubectl.ok(["create", "-f", "-"], JSON.stringify(csr));
      await kubectl.ok(["certificate", verb, name]);
    }
    await eventually(async () => /^wanted .*Approved,Issued$/m.test(await kubectl.ok(["get", "csr"])));
    expect(await kubectl.ok(["get", "csr"])).toMatch(/^unwanted .*Denied$/m);
    const issued = await kubectl.ok(["get", "csr", "wanted", "-o=jsonpath={.status.certificate}"]);
    expect(Buffer.from(issued, "base64").toString()).toContain("BEGIN CERTIFICATE");
  });
});
