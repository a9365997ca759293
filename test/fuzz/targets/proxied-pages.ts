import { answerHeaders, backendHeaders } from "#apiserver/proxy/backend-headers.ts";
import { rewriteHtmlLinks } from "#apiserver/proxy/html-links.ts";
import { rewriteLink } from "#apiserver/proxy/link-rewriter.ts";
import { statusOfErrorStream } from "#apiserver/proxy/remote-command-status.ts";
import { check, type FuzzTarget } from "../target.ts";

const CONTEXT = { backendHost: "10.0.0.1:80", requestHost: "localhost:8001", pathPrepend: "/api/v1/pods/a/proxy" };

/** What pods and kubelets answer: pages whose links are rewritten, redirects, header lines, and the ends of commands. */
export const target: FuzzTarget = {
  seeds: [
    '<!DOCTYPE html><html><head><link href="/s.css"><script src=/x>"<a href=/no>"</script></head>',
    '<A HREF=\'/a?b=1&amp;c=2#d\' class=x/><img src="//10.0.0.1:80/i.png"><a href="javascript:1">',
    "<!-- <a href=/x> --><textarea><a href=/x></textarea ><style></style/><base href='http://localhost:8001/'>",
    "</a><? x ?><!x><a/href=/x/b='><'><a href=%zz><a href=/%2e%2e/x>",
    '{"status":"Failure","reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"3"}]}}',
  ],
  run: (bytes) => {
    const text = bytes.toString("utf8");
    rewriteHtmlLinks(text, (link) => rewriteLink(link, CONTEXT));
    check(rewriteHtmlLinks(text.replaceAll("<", ""), () => "/changed") === text.replaceAll("<", ""), "text without tags changes");
    const link = rewriteLink(text, CONTEXT);
    // As upstream, `..` leads out of what stands before the path.
    if (link !== undefined && !/\.|%2e/i.test(text))
      check(rewriteLink(link, CONTEXT) === link, `${JSON.stringify(link)} is rewritten twice`);
    const lines = text.split("\n");
    answerHeaders(lines);
    const headers = Object.fromEntries(lines.map((line) => [line.split(":")[0] ?? "", line]));
    backendHeaders({ headers, connection: undefined }, false);
    statusOfErrorStream(text);
  },
};
