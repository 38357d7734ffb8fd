/** A temporary database on an existing server. Nothing else on the server is changed. */
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { migrate } from '../../cli/migrate-command.ts';
import { type Served, servePostgres } from './served.ts';

/** Creates a database with a random name and Gatehouse's tables on the server of `serverUrl`. */
export async function ownDatabase(
  serverUrl: string,
): Promise<Served & { readonly name: string; drop(): Promise<void> }> {
  const name = `gatehouse_test_${randomBytes(6).toString('hex')}`;
  await onServer(serverUrl, `create database ${name}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  const served = await servePostgres(url.href);
  const drop = async () => {
    await served.close();
    await onServer(serverUrl, `drop database ${name} with (force)`);
  };
  try {
    await migrate(served.url);
  } catch (error) {
    await drop();
    throw error;
  }
  return { ...served, name, drop };
}

async function onServer(serverUrl: string, command: string): Promise<void> {
  const client = new pg.Client({ connectionString: serverUrl });
  await client.connect();
  try {
    await client.query(command);
  } finally {
    await client.end();
  }
}
