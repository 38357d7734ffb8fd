/** What the pages for browsers have in common: their frame, their style, and headers that forbid everything else. */
import { html } from 'hono/html';

export type Html = ReturnType<typeof html>;

/** No script, no request to another host, and no frame. */
export const PAGE_HEADERS = {
  'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
} as const;

const STYLE = html`<style>
  body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: #1a1a1a; }
  h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin-top: 2rem; } h3 { font-size: 1rem; margin-bottom: 0; }
  th { text-align: left; padding-right: 2rem; font-weight: 600; vertical-align: top; }
  td { padding-right: 1rem; vertical-align: top; }
  pre { background: #f4f4f4; padding: 0.75rem; white-space: pre-wrap; overflow-wrap: anywhere; margin-top: 0.25rem; }
  section { border-top: 1px solid #ccc; margin-top: 1.5rem; }
  .ready { color: #0a6b2d; } .not-ready { color: #a11a1a; }
</style>`;

/** A page with a heading. */
export const htmlPage = (title: string, content: Html) => html`<!doctype html>
  <html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <title>${title}</title>
      ${STYLE}
    </head>
    <body>
      <h1>${title}</h1>
      ${content}
    </body>
  </html>`;
