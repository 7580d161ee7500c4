// A site on 127.0.0.1 with one page, its module and the codec's worker.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { bundleForPage, type BundleOptions } from "./bundle.ts";

/** Content security policy of the strictest page that a worker and a module can have. */
export const STRICT_POLICY = "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'";

export interface SiteOptions extends BundleOptions {
  /** Headers for cross-origin isolation, by which the page has SharedArrayBuffer. */
  readonly isolated?: boolean;
  /** Content-Security-Policy; none by default. */
  readonly policy?: string;
  /** Further files by path, such as "/program.js". */
  readonly files?: Readonly<Record<string, string>>;
}

export class Site implements AsyncDisposable {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open({ entries, sdk, isolated = false, policy, files = {} }: SiteOptions): Promise<Site> {
    const [page, worker] = await Promise.all([
      bundleForPage({ entries, sdk }),
      bundleForPage({ entries: ["workers/browser/entry.js"] }),
    ]);
    const contents: Readonly<Record<string, string>> = {
      "/": '<!doctype html><meta charset="utf-8"><title>Test</title><script type="module" src="/page.js"></script>',
      "/other": '<!doctype html><meta charset="utf-8"><title>Another page</title>',
      "/favicon.ico": "",
      "/page.js": page,
      "/worker.js": worker,
      ...files,
    };
    const server = createServer((request, response) => {
      const path = new URL(request.url ?? "/", "http://127.0.0.1").pathname;
      const body = contents[path];
      if (isolated) {
        response.setHeader("cross-origin-opener-policy", "same-origin");
        response.setHeader("cross-origin-embedder-policy", "require-corp");
      }
      if (policy !== undefined) response.setHeader("content-security-policy", policy);
      response.writeHead(body === undefined ? 404 : 200, {
        "content-type": path.endsWith(".js") ? "text/javascript" : "text/html",
      }).end(body);
    });
    await new Promise<void>((resolve, reject) => void server.once("error", reject).listen(0, "127.0.0.1", resolve));
    return new Site(server);
  }

  /** URL of the page. By a name that is not the loopback's, the page has no secure context. */
  url(host: string = "127.0.0.1"): string {
    return `http://${host}:${(this.#server.address() as AddressInfo).port}/`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => void this.#server.close(() => resolve()));
  }
}
