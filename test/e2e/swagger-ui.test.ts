import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type BrowserContext, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, startCluster } from "#envtest/envtest.ts";
import { eventually, hasKubectl, Kubectl, type RunningKubectl } from "../support/kubectl.ts";

const CHROMIUM = "/usr/bin/chromium";
const FLAGS =
  "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync";
/** The picture of docs/swagger-ui.md; `SWAGGER_PICTURE=1` draws it anew. */
const PICTURE = fileURLToPath(new URL("../../docs/swagger-ui.png", import.meta.url));

const possible = existsSync(CHROMIUM) && hasKubectl;
const skipped = possible ? "" : " (skipped: needs chromium and kubectl)";

describe.runIf(possible)(`the swagger UI page${skipped}`, () => {
  const profile = mkdtempSync(join(tmpdir(), "kybern-chromium-"));
  /** What went wrong in the page, and what it asked for elsewhere. */
  const troubles: string[] = [];
  let cluster: Cluster;
  let kubectl: Kubectl;
  let proxy: RunningKubectl;
  let browser: BrowserContext;
  let page: Page;
  let root: string;

  beforeAll(async () => {
    cluster = await startCluster({ nodes: 0, swaggerUi: true });
    kubectl = new Kubectl(cluster.kubeconfig);
    proxy = kubectl.start(["proxy", "--port=0"]);
    const address = await eventually(() => /127\.0\.0\.1:\d+/.exec(proxy.output)?.[0]);
    root = `http://${address}`;
    browser = await chromium.launchPersistentContext(profile, {
      executablePath: CHROMIUM,
      args: FLAGS.split(" "),
      viewport: { width: 1100, height: 720 },
    });
    page = await browser.newPage();
    page.setDefaultTimeout(120_000);
    page.on("console", (message) => message.type() === "error" && troubles.push(message.text()));
    page.on("pageerror", (error) => troubles.push(String(error)));
    page.on("request", (request) => {
      const { origin, protocol } = new URL(request.url());
      if (origin !== root && protocol !== "data:") troubles.push(`asked for ${request.url()}`);
    });
  });
  afterAll(async () => {
    await browser?.close();
    proxy?.[Symbol.dispose]();
    kubectl?.[Symbol.dispose]();
    await cluster?.stop();
    rmSync(profile, { recursive: true, force: true });
  });

  /** Opens an operation, executes it, and gives what the page shows of the answer. */
  async function tryOut(id: string): Promise<{ readonly status: string; readonly body: string }> {
    const operation = page.locator(`.opblock[id$="-${id}"]`);
    await operation.locator(".opblock-summary-control").click();
    await operation.locator(".try-out__btn").click();
    await operation.locator(".execute").click();
    const answer = operation.locator(".live-responses-table .response").first();
    await answer.waitFor();
    const text = async (selector: string): Promise<string> => (await answer.locator(selector).first().textContent()) ?? "";
    return { status: await text(".response-col_status"), body: await text(".highlight-code, .microlight") };
  }

  test("shows a document of version 3, and lists the namespaces", async () => {
    await page.goto(`${root}/swagger-ui`);
    await page.locator(".opblock-tag").first().waitFor();
    expect(page.url()).toBe(`${root}/swagger-ui/`);
    await page.locator('.opblock-tag[data-tag="core_v1"]').click();
    const { status, body } = await tryOut("listCoreV1Namespace");
    expect(status).toContain("200");
    expect(body).toContain("NamespaceList");
    expect(body).toContain('"default"');
  });

  test("offers every group and version, and the whole API", async () => {
    const offered = await page
      .locator("#document option")
      .evaluateAll((options) => options.map((option) => option.getAttribute("value")));
    expect(offered).toEqual(expect.arrayContaining(["v2", "api/v1", "apis/apps/v1", "version"]));
    await page.locator("#document").selectOption("apis/apps/v1");
    await page.locator('.opblock-tag[data-tag="apps_v1"]').click();
    expect((await tryOut("listAppsV1DeploymentForAllNamespaces")).status).toContain("200");
    await page.locator("#document").selectOption("v2");
    await page.locator('.opblock-tag[data-tag="version"]').click();
    const { status, body } = await tryOut("getCodeVersion");
    expect(status).toContain("200");
    expect(body).toContain("gitVersion");
  });

  test("looks as in the picture: chooser, operation, answer", async () => {
    await page.setViewportSize({ width: 900, height: 860 });
    await page.locator("#document").selectOption("version");
    await page.locator('.opblock-tag[data-tag="version"]').click();
    await tryOut("getCodeVersion");
    await page.evaluate("scrollTo(0, 0)");
    const picture = await page.screenshot();
    expect(picture.subarray(1, 4).toString()).toBe("PNG");
    expect(picture.length).toBeGreaterThan(20_000);
    if (process.env.SWAGGER_PICTURE === "1") writeFileSync(PICTURE, picture);
  });

  test("breaks no rule of its policy, and asks for nothing elsewhere", () => {
    expect(troubles).toEqual([]);
  });
});
