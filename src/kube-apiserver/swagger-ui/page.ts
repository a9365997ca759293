/** The page: a chooser of documents, and Swagger UI below it. Paths are relative, so that it works behind proxies. */
export const PAGE_HTML = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Kubernetes API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="swagger-ui.css">
<link rel="stylesheet" href="page.css">
</head>
<body>
<header>
<h1>Kubernetes API</h1>
<label>Document <select id="document"></select></label>
</header>
<p id="problem" role="alert" hidden></p>
<main id="ui"></main>
<script src="swagger-ui-bundle.js"></script>
<script src="page.js"></script>
</body>
</html>
`;

/** What the page adds to Swagger UI's looks. */
export const PAGE_CSS = `body { margin: 0; }
header { display: flex; flex-wrap: wrap; gap: 0.5rem 2rem; align-items: center; padding: 0.6rem 1.2rem; background: #1b1b1b; color: #fff; font-family: sans-serif; }
h1 { margin: 0; font-size: 1.1rem; }
select { font: inherit; max-width: 30rem; padding: 0.2rem; }
.swagger-ui .info { margin: 1rem 0; }
.swagger-ui .scheme-container { margin: 0 0 1rem; padding: 0 0 0.8rem; box-shadow: none; border-bottom: 1px solid #ddd; }
#problem { margin: 1rem; padding: 0.8rem; background: #fdd; font-family: sans-serif; }
`;

/** Fills the chooser from what the server publishes, and shows what is chosen. The choice is kept in the URL's fragment. */
export const PAGE_SCRIPT = `"use strict";
(async () => {
  const root = new URL("..", location.href).pathname;
  const chooser = document.getElementById("document");
  const WHOLE = "v2";

  // Documents tell paths from the server's root, and version 2 the scheme, too: what is asked goes the way the page came.
  const sameWay = (request) => {
    const to = new URL(request.url, location.href);
    if (!request.loadSpec && root !== "/" && !to.pathname.startsWith(root)) to.pathname = root + to.pathname.slice(1);
    to.protocol = location.protocol;
    to.host = location.host;
    request.url = to.href;
    return request;
  };

  const show = (url) =>
    SwaggerUIBundle({
      url,
      dom_id: "#ui",
      validatorUrl: null,
      queryConfigEnabled: false,
      docExpansion: "none",
      defaultModelsExpandDepth: 0,
      filter: true,
      requestInterceptor: sameWay,
    });

  const fail = (text) => {
    const problem = document.getElementById("problem");
    problem.textContent = text;
    problem.hidden = false;
  };

  const answer = await fetch(root + "openapi/v3");
  if (!answer.ok) return fail("The list of documents could not be read: " + answer.status + " " + answer.statusText);
  const { paths } = await answer.json();
  const urls = new Map([[WHOLE, root + "openapi/v2"]]);
  const isVersion = (name) => name === "api/v1" || /^apis\\/[^/]+\\/[^/]+$/.test(name);
  const names = Object.keys(paths).sort((a, b) => isVersion(b) - isVersion(a) || (a < b ? -1 : 1));
  for (const name of names) urls.set(name, root + "openapi/v3/" + name);
  for (const name of urls.keys()) chooser.append(new Option(name === WHOLE ? "Everything (OpenAPI v2)" : name, name));

  const chosen = () => decodeURIComponent(location.hash.slice(1));
  const refresh = () => {
    chooser.value = urls.has(chosen()) ? chosen() : "api/v1";
    show(urls.get(chooser.value));
  };
  chooser.addEventListener("change", () => {
    location.hash = chooser.value;
  });
  addEventListener("hashchange", refresh);
  refresh();
})();
`;
