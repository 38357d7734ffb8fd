/**
 * `GET /` in a browser: that this is a Gatehouse, and where to go. On a developer's machine also its state and calls
 * to try; elsewhere nothing that needs a credential.
 */
import type { Handler } from 'hono';
import { html } from 'hono/html';
import { configOf } from '../platform/config.ts';
import { stateOf } from '../platform/gate-state.ts';
import { askParts } from './health/readiness.ts';
import type { AppEnv } from './http/context.ts';
import { sampleCommands } from './samples.ts';

type Html = ReturnType<typeof html>;
type State = Awaited<ReturnType<typeof askParts>>;

/** No script, no request to another host, and no frame. */
const HEADERS = {
  'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
};

export const home: Handler<AppEnv> = async (c) => {
  if (!configOf(c.env).local) return c.html(page(deployed), 200, HEADERS);
  const state = await askParts(c.env, stateOf(c.req.raw), (work) => c.executionCtx.waitUntil(work));
  return c.html(page(html`${stateOfParts(state)}${toTry(new URL(c.req.url).origin)}`), 200, HEADERS);
};

const deployed = html`<p>
  This Gatehouse answers API calls. <code>/health</code> needs no credential. <code>/health/ready</code>,
  <code>/reports</code> and <code>/admin</code> ask for one.
</p>`;

function stateOfParts({ status, kv, queue, neon, policy, warnings }: State): Html {
  const rows: readonly (readonly [part: string, is: string])[] = [
    ['Workers KV', kv.ok ? 'answers' : kv.problem],
    ['Dead letters', queue.ok ? `${queue.refused} refused, ${queue.outage} from an outage` : queue.problem],
    ['Neon', neon.ok ? (neon.migrated ? 'answers' : 'answers, and lacks a migration') : neon.problem],
    ['Policy', policy.ok ? decidingPolicy(policy) : policy.problem],
  ];
  return html`<h2>State: <span class="${status}">${status}</span></h2>
    <table>
      ${rows.map(([part, is]) => html`<tr><th>${part}</th><td>${is}</td></tr>`)}
    </table>
    <ul>
      ${warnings.map((warning) => html`<li>${warning}</li>`)}
    </ul>`;
}

function decidingPolicy({ decides, version }: { readonly decides: boolean; readonly version?: number }): string {
  if (!decides) return 'none decides';
  return version === 0 ? 'the built-in policy decides' : `version ${version} decides`;
}

const toTry = (origin: string): Html => html`<h2>Calls to try</h2>
  ${sampleCommands(origin).map(({ title, command }) => html`<h3>${title}</h3><pre>${command}</pre>`)}
  <h2>In a browser</h2>
  <p>
    <a href="/reports/summary">/reports/summary</a> and <a href="/reports/attempts">/reports/attempts</a>
    (user <code>support</code>, password <code>support</code>); <a href="/admin/people">/admin/people</a> and
    <a href="/admin/changes">/admin/changes</a> (<code>admin</code>, <code>admin</code>);
    <a href="/health/ready">/health/ready</a>
  </p>`;

const STYLE = html`<style>
  body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: #1a1a1a; }
  h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin-top: 2rem; } h3 { font-size: 1rem; margin-bottom: 0; }
  th { text-align: left; padding-right: 2rem; font-weight: 600; }
  pre { background: #f4f4f4; padding: 0.75rem; white-space: pre-wrap; overflow-wrap: anywhere; margin-top: 0.25rem; }
  .ready { color: #0a6b2d; } .not-ready { color: #a11a1a; }
</style>`;

const page = (content: Html) => html`<!doctype html>
  <html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <title>Gatehouse</title>
      ${STYLE}
    </head>
    <body>
      <h1>Gatehouse</h1>
      <p>Azure AD B2C calls this API before it lets a person in.</p>
      ${content}
    </body>
  </html>`;
