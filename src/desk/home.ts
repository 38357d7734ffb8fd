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
import { type Html, htmlPage, PAGE_HEADERS } from './http/page.ts';
import { sampleCommands } from './samples.ts';

type State = Awaited<ReturnType<typeof askParts>>;

export const home: Handler<AppEnv> = async (c) => {
  if (!configOf(c.env).local) return c.html(page(deployed), 200, PAGE_HEADERS);
  const state = await askParts(c.env, stateOf(c.req.raw), (work) => c.executionCtx.waitUntil(work));
  return c.html(page(html`${stateOfParts(state)}${toTry(new URL(c.req.url).origin)}`), 200, PAGE_HEADERS);
};

const page = (content: Html) =>
  htmlPage(
    'Gatehouse',
    html`<p>
        Azure AD B2C calls this API before it lets a person in. <a href="/reference">The reference</a> describes every
        address for people, and <a href="/openapi.json">/openapi.json</a> for programs.
      </p>
      ${content}`,
  );

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
